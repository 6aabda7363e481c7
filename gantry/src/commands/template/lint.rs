use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use domain::template::{Finding, Severity};
use serde_json::{Value, json};

use crate::{
    exit::{Exit, Failure, Outcome, While as _},
    output::{Colour, Output},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Directories of templates, or names below infra/lxc/templates; all of those when none is given.
    template: Vec<String>,
    /// Fail on warnings too.
    #[arg(long)]
    strict: bool,
}

/// A template's name and what was found.
type Found = (String, Vec<Finding>);

pub(super) fn run(args: &Args, out: Output) -> Outcome {
    let directories = if args.template.is_empty() {
        all(Path::new("infra/lxc/templates"))?
    } else {
        args.template.iter().map(|named| super::directory(named)).collect()
    };
    let found: Vec<Found> = directories.iter().map(|directory| look(directory)).collect();
    let count = |severity| found.iter().flat_map(|(_, all)| all).filter(|f| f.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    out.answer(&found.iter().map(as_json).collect::<Value>(), || in_words(&found, out));
    if errors == 0 && (warnings == 0 || !args.strict) {
        return Ok(Exit::Done);
    }
    Err(Failure::new(Exit::Failed, format!("{errors} errors, {warnings} warnings in {} templates", found.len())))
}

fn all(root: &Path) -> Outcome<Vec<PathBuf>> {
    let mut directories = Vec::new();
    for entry in std::fs::read_dir(root).during(format!("reading {}", root.display()))?.flatten() {
        if entry.path().is_dir() {
            directories.push(entry.path());
        }
    }
    directories.sort();
    Ok(directories)
}

fn look(directory: &Path) -> Found {
    let named = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    let read = platform::catalogue::read_template(&named);
    let mut findings = read.findings;
    if let Some(template) = &read.template {
        findings.extend(domain::template::lint(template));
        let scripts = template.scripts.iter().map(|script| script.name.as_str());
        findings.extend(scripts.flat_map(|script| shellcheck(&named, script)));
    }
    findings.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    (read.name, findings)
}

/// What shellcheck says, where it is installed. The library's functions are known to every script, and so is its shell.
fn shellcheck(directory: &Path, script: &str) -> Vec<Finding> {
    let file = format!("container-configs/scripts/{script}");
    let mut command = Command::new("shellcheck");
    command.args(["--format=json", "--severity=warning", "--exclude=SC1091"]).arg(directory.join(&file));
    let Ok(ran) = command.stderr(Stdio::null()).output() else { return Vec::new() };
    let said: Vec<Value> = serde_json::from_slice(&ran.stdout).unwrap_or_default();
    let finding = |said: Value| {
        let line = said["line"].as_u64().and_then(|line| usize::try_from(line).ok()).unwrap_or_default();
        let problem = said["message"].as_str().unwrap_or_default().to_owned();
        let fix = format!("https://www.shellcheck.net/wiki/SC{}", said["code"]);
        Finding::warning(line, problem, &fix).in_file(&file)
    };
    said.into_iter().map(finding).collect()
}

fn as_json((name, findings): &Found) -> Value {
    json!({ "template": name, "findings": findings })
}

fn in_words(found: &[Found], out: Output) -> String {
    let mut text = String::new();
    for (name, findings) in found {
        if findings.is_empty() {
            text += &format!("{} {name}\n", out.paint(Colour::Good, "✓"));
        }
        for finding in findings {
            let (colour, word) = match finding.severity {
                Severity::Error => (Colour::Bad, "error"),
                Severity::Warning => (Colour::Busy, "warning"),
            };
            let line = if finding.line > 0 { format!(":{}", finding.line) } else { String::new() };
            let place = format!("{name}/{}{line}", finding.file);
            text += &format!("{} {place}: {}; {}\n", out.paint(colour, word), finding.problem, finding.fix);
        }
    }
    text.trim_end().to_owned()
}
