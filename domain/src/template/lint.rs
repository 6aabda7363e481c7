//! What works, but should not be left so.

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
    let mut here_document: Option<String> = None;
    for (at, text) in content.lines().enumerate() {
        if let Some(end) = &here_document {
            if text.trim() == end {
                here_document = None;
            }
            continue;
        }
        here_document = text.split_once("<<").and_then(|(_, rest)| here_document_end(rest));
        let code = text.split(" #").next().unwrap_or_default().trim();
        if code.starts_with('#') {
            continue;
        }
        findings.extend(in_line(code).map(|(problem, fix)| Finding::warning(at + 1, problem, fix)));
    }
    findings
}

fn here_document_end(rest: &str) -> Option<String> {
    let word = rest.trim_start_matches('-').trim().trim_matches(['\'', '"']);
    let word: String = word.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    (!word.is_empty()).then_some(word)
}

fn in_line(code: &str) -> Option<(String, &'static str)> {
    let words: Vec<&str> = code.split_whitespace().collect();
    let first = words.first().copied().unwrap_or_default();
    if runs_what_it_fetches(&words) {
        let fix = "fetch it to a file, check its checksum, then run it; or take a package";
        return Some(("runs what it fetches from the network".to_owned(), fix));
    }
    if first == "read" && !code.contains('<') {
        return Some((
            "waits for input, and there is nobody to give it".to_owned(),
            "ask with TEMPLATE_INPUTS in template.conf; the answer is a variable",
        ));
    }
    let manager = ["apt-get", "apt", "dnf", "yum"].into_iter().find(|manager| asks(&words, manager))?;
    Some((format!("{manager} asks before it changes something"), "add -y, or write the package into packages/"))
}

/// Whether a package manager is called in a way that wants a yes.
fn asks(words: &[&str], manager: &str) -> bool {
    let Some(at) = words.iter().position(|word| *word == manager) else { return false };
    let short =
        |word: &str| !word.starts_with("--") && word.starts_with('-') && (word.contains('y') || word.contains("qq"));
    let told = |word: &str| short(word) || ["--yes", "--assume-yes", "--assumeyes"].contains(&word);
    let changes = |word: &str| ["install", "upgrade", "dist-upgrade", "remove"].contains(&word);
    words[at..].iter().any(|word| changes(word)) && !words[at..].iter().any(|word| told(word))
}

/// `curl … | sh` and its like.
fn runs_what_it_fetches(words: &[&str]) -> bool {
    let fetches = words.iter().position(|word| ["curl", "wget"].contains(word));
    let Some(at) = fetches else { return false };
    words[at..].windows(2).any(|pair| pair[0] == "|" && ["sh", "bash", "sudo", "dash"].contains(&pair[1]))
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
            "cat <<'END'\ncurl https://example.org | sh\nread name\nEND",
        ] {
            assert_eq!(found(&format!("#!/bin/sh\n{line}\n")), [], "{line}");
        }
    }
}
