//! The keys of `template.conf`, and of a community `container.sh`.

use serde::{Deserialize, Serialize};

use super::{Assignment, Finding, Input, conf, parse_inputs};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    pub app: String,
    pub description: String,
    pub tags: Vec<String>,
    pub cores: u32,
    pub memory_mb: u32,
    pub swap_mb: u32,
    pub disk_gb: u32,
    pub os: String,
    pub version: String,
    pub unprivileged: bool,
    pub nesting: bool,
    pub keyctl: bool,
    pub fuse: bool,
    pub ports: Vec<Port>,
    pub health: Option<Health>,
    pub inputs: Vec<Input>,
    /// Named lists of packages that templates share.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buckets: Vec<String>,
}

/// What will listen: `8080`, `53/udp`, `8080=web`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    pub port: u16,
    pub udp: bool,
    pub name: Option<String>,
}

/// The check to create: `http://:8080/health` or `tcp://:5432`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Health {
    Http { port: u16, path: String },
    Tcp { port: u16 },
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            app: String::new(),
            description: String::new(),
            tags: Vec::new(),
            cores: 1,
            memory_mb: 512,
            swap_mb: 0,
            disk_gb: 8,
            os: "debian".into(),
            version: "12".into(),
            unprivileged: true,
            nesting: false,
            keyctl: false,
            fuse: false,
            ports: Vec::new(),
            health: None,
            inputs: Vec::new(),
            buckets: Vec::new(),
        }
    }
}

const KEYS: &str = "_APP, _DESCRIPTION, _TAGS, _CPU, _RAM, _SWAP, _DISK, _OS, _VERSION, _UNPRIVILEGED, _NESTING, _KEYCTL, _FUSE, \
                    _PORTS, _HEALTH, _INPUTS, _BUCKETS, _CONFIG_PATH";

/// Settings with defaults for what is absent, and what is wrong; a wrong value leaves the default in place.
#[must_use]
pub fn settings_from_conf(text: &str) -> (Settings, Vec<Finding>) {
    let (assignments, mut findings) = conf::parse(text);
    let mut settings = Settings::default();
    for assignment in &assignments {
        let known = assignment.key.strip_prefix("TEMPLATE_").map(|key| set(&mut settings, key, assignment));
        match known {
            Some(Some(Ok(()))) => {}
            Some(Some(Err(more))) => findings.extend(more),
            // Authors keep helper variables beside the keys; only a near miss is worth a word.
            None => {}
            Some(None) => findings.push(Finding::warning(
                assignment.line,
                format!("{} is not a key that templates have", assignment.key),
                &format!("known are TEMPLATE{KEYS}"),
            )),
        }
    }
    if settings.app.is_empty() {
        findings.push(Finding::warning(1, "has no TEMPLATE_APP", "add the name that people see: TEMPLATE_APP=\"…\""));
    }
    (settings, findings.into_iter().map(|f| f.in_file("template.conf")).collect())
}

/// Reads the `var_…` assignments of a community script line by line; all other lines are none of our business.
#[must_use]
pub fn community_settings(script: &str) -> (Settings, Vec<Finding>) {
    let mut settings = Settings::default();
    let mut findings = Vec::new();
    for (at, row) in script.lines().enumerate() {
        let row = row.trim();
        let key = row.split('=').next().unwrap_or_default();
        if !(key.starts_with("var_") || key == "APP") || !row.contains('=') {
            continue;
        }
        let (assignments, wrong) = conf::parse(row);
        findings.extend(wrong.into_iter().map(|f| Finding { line: at + 1, ..f }));
        for assignment in assignments {
            let assignment = Assignment { line: at + 1, ..assignment };
            let key = assignment.key.trim_start_matches("var_").to_uppercase();
            if let Some(Err(more)) = set(&mut settings, &key, &assignment) {
                findings.extend(more);
            }
        }
    }
    (settings, findings.into_iter().map(|f| f.in_file("container.sh")).collect())
}

/// `None` when there is no such key.
fn set(settings: &mut Settings, key: &str, from: &Assignment) -> Option<Result<(), Vec<Finding>>> {
    let value = from.value.trim();
    let wrong = |problem: String, fix: &str| vec![Finding::error(from.line, format!("{}: {problem}", from.key), fix)];
    let number = |min: u32, max: u32| {
        value.parse::<u32>().ok().filter(|n| (min..=max).contains(n)).ok_or_else(|| {
            wrong(format!("{value} is not a whole number from {min} to {max}"), "write plain digits, without a unit")
        })
    };
    let switch = || match value {
        "1" | "true" | "yes" => Ok(true),
        "0" | "false" | "no" | "" => Ok(false),
        _ => Err(wrong(format!("{value} is neither 1 nor 0"), "write 1 or 0")),
    };
    let word = || {
        let plain = !value.is_empty() && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if plain {
            Ok(value.to_owned())
        } else {
            Err(wrong(format!("{value} is not a plain word"), "write it as in debian or 12"))
        }
    };
    Some(match key {
        "APP" => store(&mut settings.app, Ok(value.to_owned())),
        "DESCRIPTION" => store(&mut settings.description, Ok(value.to_owned())),
        "TAGS" => {
            let tags = value.split([';', ',']).map(|t| t.trim().to_lowercase()).filter(|t| !t.is_empty());
            store(&mut settings.tags, Ok(tags.collect()))
        }
        "CPU" => store(&mut settings.cores, number(1, 128)),
        "RAM" => store(&mut settings.memory_mb, number(16, 1_048_576)),
        "SWAP" => store(&mut settings.swap_mb, number(0, 65_536)),
        "DISK" => store(&mut settings.disk_gb, number(1, 10_240)),
        "OS" => store(&mut settings.os, word()),
        "VERSION" => store(&mut settings.version, word()),
        "UNPRIVILEGED" => store(&mut settings.unprivileged, switch()),
        "NESTING" => store(&mut settings.nesting, switch()),
        "KEYCTL" => store(&mut settings.keyctl, switch()),
        "FUSE" => store(&mut settings.fuse, switch()),
        "PORTS" => store(&mut settings.ports, ports(value).map_err(|p| wrong(p, "write 8080;53/udp;3000=web"))),
        "HEALTH" => {
            let health = if value.is_empty() { Ok(None) } else { health(value).map(Some) };
            store(&mut settings.health, health.map_err(|p| wrong(p, "write http://:8080/path or tcp://:5432")))
        }
        "BUCKETS" => {
            let names = value.split([';', ',', ' ']).map(str::trim).filter(|name| !name.is_empty());
            let odd = names.clone().find(|name| !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)));
            let fix = "write the names of files in buckets/, without their endings: monitoring;editors";
            let buckets = match odd {
                Some(odd) => Err(wrong(format!("{odd} is no bucket's name"), fix)),
                None => Ok(names.map(str::to_owned).collect()),
            };
            store(&mut settings.buckets, buckets)
        }
        "INPUTS" => store(&mut settings.inputs, parse_inputs(&from.value, from.line)),
        // Where the seeds keep container-configs; ours is always beside template.conf.
        "CONFIG_PATH" => Ok(()),
        _ => return None,
    })
}

fn store<T>(place: &mut T, value: Result<T, Vec<Finding>>) -> Result<(), Vec<Finding>> {
    *place = value?;
    Ok(())
}

fn ports(value: &str) -> Result<Vec<Port>, String> {
    value.split([';', ' ']).map(str::trim).filter(|p| !p.is_empty()).map(port).collect()
}

fn port(text: &str) -> Result<Port, String> {
    let (number, name) = text.split_once('=').map_or((text, None), |(n, name)| (n, Some(name.to_owned())));
    let (number, udp) = match number.split_once('/') {
        Some((number, "udp")) => (number, true),
        Some((number, "tcp")) => (number, false),
        Some((_, other)) => return Err(format!("{other} is neither tcp nor udp")),
        None => (number, false),
    };
    let port = number.parse().ok().filter(|p| *p > 0).ok_or_else(|| format!("{number} is no port"))?;
    Ok(Port { port, udp, name })
}

fn health(value: &str) -> Result<Health, String> {
    let numbered = |text: &str| text.parse::<u16>().ok().filter(|p| *p > 0).ok_or_else(|| format!("{text} is no port"));
    if let Some(rest) = value.strip_prefix("http://:") {
        let (port, path) = rest.split_once('/').unwrap_or((rest, ""));
        return Ok(Health::Http { port: numbered(port)?, path: format!("/{path}") });
    }
    match value.strip_prefix("tcp://:") {
        Some(port) => Ok(Health::Tcp { port: numbered(port)? }),
        None => Err(format!("{value} is no check")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_keys_have_the_documented_defaults() {
        let (settings, findings) = settings_from_conf("TEMPLATE_APP=x");
        assert_eq!(settings, Settings { app: "x".into(), ..Settings::default() });
        assert_eq!(findings, []);
    }

    #[test]
    fn the_real_template_of_the_field_is_read() {
        let text = "TEMPLATE_APP=\"Web3 Dev\"\nTEMPLATE_TAGS=\"web3;development\"\nTEMPLATE_CPU=\"${TEMPLATE_CPU:-4}\"\n\
                    TEMPLATE_RAM=\"${TEMPLATE_RAM:-8192}\"\nTEMPLATE_NESTING=1\nTEMPLATE_PORTS=\"8080=code;53/udp\"\n\
                    TEMPLATE_HEALTH=http://:8080/healthz\n";
        let (settings, findings) = settings_from_conf(text);
        assert_eq!(findings, []);
        assert_eq!((settings.cores, settings.memory_mb, settings.nesting), (4, 8192, true));
        assert_eq!(settings.ports[1], Port { port: 53, udp: true, name: None });
        assert_eq!(settings.health, Some(Health::Http { port: 8080, path: "/healthz".into() }));
    }

    #[test]
    fn wrong_values_are_named_with_line_and_fix() {
        let (_, findings) =
            settings_from_conf("TEMPLATE_APP=x\nTEMPLATE_CPU=many\nTEMPLATE_CPUS=4\nTEMPLATE_PORTS=99999\n");
        let told: Vec<_> = findings.iter().map(ToString::to_string).collect();
        assert!(told[0].starts_with("template.conf:2: TEMPLATE_CPU: many"), "{told:?}");
        assert!(told[1].contains("TEMPLATE_CPUS is not a key"), "{told:?}");
        assert!(told[2].contains("99999 is no port"), "{told:?}");
    }

    #[test]
    fn a_community_script_is_read_from_its_assignments_only() {
        let script = "#!/usr/bin/env bash\nsource <(curl -s x)\nAPP=\"Docker\"\nvar_cpu=\"${var_cpu:-2}\"\nvar_os=debian\nheader_info \"$APP\"\n";
        let (settings, findings) = community_settings(script);
        assert_eq!(findings, []);
        assert_eq!((settings.app.as_str(), settings.cores, settings.os.as_str()), ("Docker", 2, "debian"));
    }
}
