//! `packages/*.<manager>`: one package a line, `#` comments.

use serde::{Deserialize, Serialize};

use super::Finding;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageList {
    /// The file's name, `base.apt`.
    pub name: String,
    #[serde(flatten)]
    pub packages: PackageManager,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "manager", content = "packages", rename_all = "snake_case")]
pub enum PackageManager {
    Apt(Vec<String>),
    Apk(Vec<String>),
    Dnf(Vec<String>),
    Npm(Vec<String>),
    Pip(Vec<String>),
    Custom(Vec<CustomPackage>),
}

/// A package that brings its own check and install commands: `name|check|install[|timeout=300]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomPackage {
    pub name: String,
    pub check: String,
    pub install: String,
    pub timeout_s: u32,
}

/// # Errors
/// Every line that is no package, with its number.
pub fn parse_packages(file: &str, text: &str) -> Result<PackageList, Vec<Finding>> {
    let manager = file.rsplit_once('.').map_or("", |(_, ending)| ending);
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line));
    let packages = match manager {
        "apt" => names(lines, true).map(PackageManager::Apt),
        "apk" => names(lines, true).map(PackageManager::Apk),
        "dnf" => names(lines, true).map(PackageManager::Dnf),
        "npm" => names(lines, false).map(PackageManager::Npm),
        "pip" => names(lines, false).map(PackageManager::Pip),
        "custom" => custom(lines).map(PackageManager::Custom),
        other => Err(vec![Finding::error(
            0,
            format!(".{other} is no package manager"),
            "name the file *.apt, .apk, .dnf, .npm, .pip or .custom",
        )]),
    };
    let here = format!("packages/{file}");
    packages
        .map(|packages| PackageList { name: file.to_owned(), packages })
        .map_err(|findings| findings.into_iter().map(|f| f.in_file(&here)).collect())
}

fn names<'a>(lines: impl Iterator<Item = (usize, &'a str)>, system: bool) -> Result<Vec<String>, Vec<Finding>> {
    let mut packages = Vec::new();
    let mut findings = Vec::new();
    for (line, text) in lines {
        let text = uncommented(text);
        for word in text.split_whitespace() {
            if is_package(word, system) {
                packages.push(word.to_owned());
            } else {
                findings.push(Finding::error(
                    line,
                    format!("{word} is no package name"),
                    "one package a line, no options",
                ));
            }
        }
    }
    if findings.is_empty() { Ok(packages) } else { Err(findings) }
}

/// A comment starts at a `#` that follows a blank or starts the line: `git+https://…#egg=x` has none.
fn uncommented(line: &str) -> &str {
    let line = line.trim_start_matches('\u{feff}').trim();
    let starts = |at: usize| at == 0 || line[..at].ends_with([' ', '\t']);
    let end = line.char_indices().find(|&(at, c)| c == '#' && starts(at)).map_or(line.len(), |(at, _)| at);
    line[..end].trim()
}

/// A name can't be taken for an option and holds nothing that a shell would act on.
#[must_use]
fn is_package(word: &str, system: bool) -> bool {
    let allowed: &[u8] = if system { b".+-_:=~*^/@" } else { b".+-_:=~*^/@<>!,[]#%" };
    let first = word.bytes().next().unwrap_or(b'-');
    word.len() <= 256
        && (first.is_ascii_alphanumeric() || (!system && first == b'@'))
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || allowed.contains(&b))
}

fn custom<'a>(lines: impl Iterator<Item = (usize, &'a str)>) -> Result<Vec<CustomPackage>, Vec<Finding>> {
    let mut packages = Vec::new();
    let mut findings = Vec::new();
    for (line, text) in lines {
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        match custom_line(text) {
            Some(package) => packages.push(package),
            None => findings.push(Finding::error(
                line,
                "is not name|check|install[|timeout=300]",
                "write: uv|command -v uv|pipx install uv==0.5.1|timeout=120",
            )),
        }
    }
    if findings.is_empty() { Ok(packages) } else { Err(findings) }
}

fn custom_line(text: &str) -> Option<CustomPackage> {
    let (text, timeout_s) = match text.rsplit_once('|').map(|(rest, last)| (rest, last.trim())) {
        Some((rest, last)) if last.starts_with("timeout=") => (rest, last["timeout=".len()..].trim().parse().ok()?),
        _ => (text, 300),
    };
    let mut parts = text.splitn(3, '|').map(str::trim);
    let (name, check, install) = (parts.next()?, parts.next()?, parts.next()?);
    let whole = !name.is_empty() && !check.is_empty() && !install.is_empty() && timeout_s > 0;
    whole.then(|| CustomPackage { name: name.into(), check: check.into(), install: install.into(), timeout_s })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_blank_lines_are_no_packages() {
        let list = parse_packages("base.apt", "# tools\n\ncurl   # to fetch\ngit=1:2.39\n").unwrap();
        assert_eq!(list.packages, PackageManager::Apt(vec!["curl".into(), "git=1:2.39".into()]));
        let list = parse_packages("x.pip", "requests==2.31,!=2.30\ngit+https://h/x#egg=x\n").unwrap();
        assert_eq!(
            list.packages,
            PackageManager::Pip(vec!["requests==2.31,!=2.30".into(), "git+https://h/x#egg=x".into()])
        );
    }

    #[test]
    fn what_a_shell_or_apt_would_act_on_is_refused() {
        for bad in ["curl;id", "$(id)", "--force-yes", "a&b", "`id`", "a|b"] {
            let findings = parse_packages("x.apt", &format!("ok\n{bad}\n")).unwrap_err();
            assert_eq!((findings[0].line, findings[0].file.as_str()), (2, "packages/x.apt"), "{bad}");
        }
    }

    #[test]
    fn a_custom_line_has_check_and_install() {
        let list = parse_packages("x.custom", "uv|command -v uv|a | b|timeout=9\n").unwrap();
        let PackageManager::Custom(custom) = list.packages else { panic!("{list:?}") };
        assert_eq!((custom[0].install.as_str(), custom[0].timeout_s), ("a | b", 9));
        assert!(parse_packages("x.custom", "uv|only-check").is_err());
        assert!(parse_packages("x.rpm", "").is_err());
    }
}
