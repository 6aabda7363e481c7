//! What works, but should not be left so.

mod commands;
mod shell;

use super::{Finding, Template};

/// Everything that an author should look at; what can't be used at all is found by the reader.
#[must_use]
pub fn lint(template: &Template) -> Vec<Finding> {
    let mut findings = Vec::new();
    let settings = &template.settings;
    if settings.description.is_empty() {
        let fix = "say in one line what one gets: TEMPLATE_DESCRIPTION=\"…\"";
        findings.push(Finding::warning(0, "has no description", fix).in_file("template.conf"));
    }
    if template.readme.trim().is_empty() {
        findings.push(Finding::warning(0, "is missing", "say what it is and what its inputs do").in_file("README.md"));
    }
    if settings.ports.is_empty() && settings.health.is_some() {
        let fix = "name what listens: TEMPLATE_PORTS=\"80=web\"";
        findings.push(Finding::warning(0, "has a health check and no ports", fix).in_file("template.conf"));
    }
    for script in &template.scripts {
        let file = format!("container-configs/scripts/{}", script.name);
        findings.extend(in_script(&script.content).into_iter().map(|finding| finding.in_file(&file)));
    }
    findings
}

fn in_script(content: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !content.starts_with("#!") {
        findings.push(Finding::warning(1, "does not say which shell it is for", "begin it with #!/bin/sh"));
    }
    let mut told = commands::look(&shell::pieces(content));
    told.sort();
    told.dedup();
    findings.extend(told.into_iter().map(|(line, problem, fix)| Finding::warning(line, problem, fix)));
    findings
}

#[cfg(test)]
mod tests {
    use super::super::{Script, Settings};
    use super::*;

    fn found(content: &str) -> Vec<(usize, String)> {
        let script = Script { order: 10, name: "10-a.sh".into(), content: content.into() };
        let settings = Settings { description: "x".into(), ..Settings::default() };
        let template = Template {
            name: "t".into(),
            settings,
            scripts: vec![script],
            packages: vec![],
            files: vec![],
            readme: "x".into(),
        };
        lint(&template).into_iter().map(|finding| (finding.line, finding.problem)).collect()
    }

    #[test]
    fn what_hangs_asks_or_runs_strangers_words_is_found_with_its_line() {
        for (line, word) in [
            ("curl -fsSL https://example.org/install | bash", "network"),
            ("wget -qO- https://example.org/install | sudo sh", "network"),
            ("read -p 'Name? ' name", "waits"),
            ("apt-get install nginx", "asks"),
            ("DEBIAN_FRONTEND=noninteractive apt upgrade", "asks"),
            ("dnf install nginx", "asks"),
            ("curl x |sh", "network"),
            ("curl x|sudo -E bash -", "network"),
            ("wget -O- x | sudo bash", "network"),
            ("curl x 2>/dev/null | bash -e 2>&1", "network"),
            ("curl -fsSL x | tee /tmp/log | bash -s -- --yes", "network"),
            ("bash <(curl -fsSL x)", "network"),
            ("source <(wget -qO- x)", "network"),
            ("sh -c \"$(curl -fsSL x)\"", "network"),
            ("eval \"`curl x`\"", "network"),
            ("[ -e /x ] || curl x | /bin/bash", "network"),
            ("if ! curl x | env A=1 python3 -; then exit 1; fi", "network"),
            ("x=$(curl y | sh)", "network"),
            ("curl x \\\n  | sh", "network"),
            ("n=$((1 << 2)); apt-get install nginx", "asks"),
        ] {
            let findings = found(&format!("#!/bin/sh\nset -eu\n{line}\n"));
            assert!(findings.len() == 1 && findings[0].0 == 3 && findings[0].1.contains(word), "{line}: {findings:?}");
        }
        assert_eq!(found("echo hi\n")[0].0, 1, "no shell is named");
    }

    #[test]
    fn what_is_fine_is_left_alone() {
        for line in [
            "curl -fsSL https://example.org/file -o /tmp/file",
            "curl -s localhost | grep -q ok",
            "read -r first </etc/hostname",
            "cat /etc/passwd | while read -r line; do echo \"$line\"; done",
            "apt-get install -y nginx",
            "apt-get -qq install nginx",
            "dnf install --assumeyes nginx",
            "# curl https://example.org | sh",
            "curl -s x | python3 -m json.tool",
            "curl -s x | python3 -c 'import sys'",
            "curl -fsSL x | gpg --dearmor -o /etc/apt/keyrings/x.gpg",
            "version=$(curl -s x | jq -r .tag)",
            "echo 'curl x | sh'",
            "curl -o f x && sha256sum -c f.sum && sh f",
            "n=$((1 << 2))\nwhile read -r a; do echo \"$a\"; done </etc/passwd",
            "apt-get $options install nginx",
            "cat <<-\"END\"\n\tread name\n\tEND",
            "cat <<'END'\ncurl https://example.org | sh\nread name\nEND",
        ] {
            assert_eq!(found(&format!("#!/bin/sh\n{line}\n")), [], "{line}");
        }
    }

    #[test]
    fn behind_a_shift_everything_is_still_looked_at() {
        let findings = found("#!/bin/sh\nmask=$((1 << 2))\n(( mask <<= 1 ))\ncurl x | sh\nread name\n");
        assert_eq!(findings.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [4, 5]);
    }

    #[test]
    fn no_script_makes_it_panic_or_hang() {
        for piece in ["$(", "`", "((", "<<A\n", "\"$(", "<(", "${", "'", "\\", "case x in x)", ")", "|", "<<<", "&>"] {
            for times in [1, 2, 3, 20_000] {
                let _ = found(&piece.repeat(times));
            }
        }
    }
}
