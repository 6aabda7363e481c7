//! Package lists as scripts for the guest. Each is run like a template's own script, behind the library.

use domain::template::{CustomPackage, PackageList, PackageManager};

/// A script to run in the guest, with the time it may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestScript {
    pub name: String,
    pub body: String,
    pub limit_s: u32,
}

const LIMIT_S: u32 = 1800;

/// Lists for another system's package manager are left out by the guest itself, which alone knows what it is.
#[must_use]
pub fn package_scripts(lists: &[PackageList], extra: &[String]) -> Vec<GuestScript> {
    let mut scripts: Vec<_> = lists.iter().flat_map(scripts_of).collect();
    if !extra.is_empty() {
        scripts.push(script("extra packages", format!("ensure_installed {}", quoted(extra)), LIMIT_S));
    }
    scripts
}

fn scripts_of(list: &PackageList) -> Vec<GuestScript> {
    let one = |body: String| vec![script(&list.name, body, LIMIT_S)];
    match &list.packages {
        packages if is_empty(packages) => Vec::new(),
        PackageManager::Apt(names) => one(for_system("apt", names)),
        PackageManager::Apk(names) => one(for_system("apk", names)),
        PackageManager::Dnf(names) => one(for_system("dnf", names)),
        PackageManager::Npm(names) => one(format!(
            "is_installed npm || ensure_installed npm\nnpm install --global --no-fund --no-audit {}",
            quoted(names)
        )),
        PackageManager::Pip(names) => one(format!(
            "is_installed pip3 || ensure_installed \"$([ \"$_PKG_MGR\" = apk ] && echo py3-pip || echo python3-pip)\"\n\
             # Distributions mark their Python as theirs; in a container of our own it is ours.\n\
             PIP_BREAK_SYSTEM_PACKAGES=1 pip3 install --quiet --no-input {}",
            quoted(names)
        )),
        PackageManager::Custom(packages) => packages.iter().map(|package| custom(&list.name, package)).collect(),
    }
}

fn is_empty(packages: &PackageManager) -> bool {
    match packages {
        PackageManager::Apt(names)
        | PackageManager::Apk(names)
        | PackageManager::Dnf(names)
        | PackageManager::Npm(names)
        | PackageManager::Pip(names) => names.is_empty(),
        PackageManager::Custom(packages) => packages.is_empty(),
    }
}

fn for_system(manager: &str, names: &[String]) -> String {
    let names = quoted(names);
    let install = match manager {
        "apt" => format!(
            "wait_for_apt_lock\napt-get update -qq || log_warn 'the package lists could not be refreshed'\n\
             apt-get install -y -qq --no-install-recommends -o Dpkg::Options::=--force-confold {names}"
        ),
        "apk" => format!("apk add --no-progress {names}"),
        _ => format!("\"$_PKG_MGR\" install -y -q {names}"),
    };
    let here = if manager == "dnf" { "dnf | yum" } else { manager };
    format!("case \"$_PKG_MGR\" in\n{here}) ;;\n*) log_info 'not for this system'; exit 0 ;;\nesac\n{install}")
}

/// The check may fail as it likes; the install may not, and the check has to hold afterwards.
fn custom(list: &str, package: &CustomPackage) -> GuestScript {
    let CustomPackage { name, check, install, timeout_s } = package;
    let body = format!(
        "if ( {check}\n) >/dev/null 2>&1; then log_info {q} 'is there'; exit 0; fi\n( {install}\n)\n\
         if ! ( {check}\n) >/dev/null 2>&1; then log_error {q} 'was installed, but its check still fails'; exit 1; fi",
        q = quote(name)
    );
    script(&format!("{list}: {name}"), body, *timeout_s)
}

fn script(name: &str, body: String, limit_s: u32) -> GuestScript {
    GuestScript { name: name.to_owned(), body: format!("set -e\n{body}\n"), limit_s }
}

fn quoted(words: &[String]) -> String {
    words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ")
}

/// For text inside a script of ours; commands that go out by SSH are quoted by proxmox alone.
fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::template::parse_packages;

    /// Runs a script as the guest would, behind the library, with `bin` first on the PATH.
    fn run(body: &str, bin: &str) -> (i32, String) {
        let text = format!("{bin}\n{body}");
        let library = concat!(env!("CARGO_MANIFEST_DIR"), "/src/guest/library.sh");
        let out = std::process::Command::new("sh")
            .args(["-c", ". \"$1\"\neval \"$2\"", "sh", library, &text])
            .output()
            .unwrap();
        (out.status.code().unwrap(), String::from_utf8(out.stdout).unwrap())
    }

    fn bodies(file: &str, text: &str) -> Vec<GuestScript> {
        package_scripts(&[parse_packages(file, text).unwrap()], &[])
    }

    #[test]
    fn a_list_for_another_system_is_left_alone() {
        let scripts = bodies("base.apk", "curl\n");
        let (code, out) = run(&scripts[0].body, "_PKG_MGR=apt; apk() { echo wrong; }");
        assert_eq!((code, out.as_str()), (0, "[INFO] not for this system\n"));
    }

    #[test]
    fn apt_gets_the_names_and_its_failure_is_a_failure() {
        let scripts = bodies("base.apt", "curl # tool\ngit\n");
        let bin = tempfile::tempdir().unwrap();
        let apt = |answer: &str| {
            let path = bin.path().join("apt-get");
            std::fs::write(&path, format!("#!/bin/sh\n{answer}\n")).unwrap();
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
            format!("_PKG_MGR=apt; PATH={}:$PATH; wait_for_apt_lock() {{ :; }}", bin.path().display())
        };
        let (code, out) = run(&scripts[0].body, &apt("echo \"$*\""));
        assert_eq!(code, 0);
        assert!(out.ends_with("--force-confold curl git\n"), "{out}");
        let (code, _) = run(&scripts[0].body, &apt("[ \"$1\" = update ]"));
        assert_eq!(code, 1);
    }

    #[test]
    fn a_custom_package_is_installed_only_when_its_check_fails() {
        let dir = tempfile::tempdir().unwrap();
        let mark = dir.path().join("it's");
        let list = format!("x|test -e \"{m}\"|echo installing; touch \"{m}\"|timeout=7", m = mark.display());
        let scripts = bodies("tools.custom", &list);
        assert_eq!(scripts[0].limit_s, 7);
        assert_eq!(run(&scripts[0].body, "").1, "installing\n");
        assert_eq!(run(&scripts[0].body, "").1, "[INFO] x is there\n");
        let (code, _) = run(&bodies("y.custom", "y|false|true")[0].body, "");
        assert_eq!(code, 1);
    }
}
