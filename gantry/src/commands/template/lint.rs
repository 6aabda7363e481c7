use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use domain::template::{Finding, Severity};
use platform::catalogue::{ReadTemplate, read_tree};
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
    /// For whom: people, programs (as `--json`), or annotations in a run of GitHub Actions.
    #[arg(long, value_enum, default_value_t = Format::Words)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Words,
    Json,
    Github,
}

/// A template's directory and name, and what was found.
struct Found {
    directory: PathBuf,
    name: String,
    findings: Vec<Finding>,
}

pub(super) fn run(args: &Args, out: Output) -> Outcome {
    let found = if args.template.is_empty() {
        let root = Path::new("infra/lxc/templates");
        let all = read_tree(root).during(format!("reading {}", root.display()))?;
        all.into_iter().map(|read| look(root.join(&read.name), read)).collect()
    } else {
        args.template.iter().map(|named| named_one(super::directory(named))).collect::<Vec<Found>>()
    };
    let count = |severity| found.iter().flat_map(|one| &one.findings).filter(|f| f.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let json = || found.iter().map(as_json).collect::<Value>();
    match args.format {
        Format::Words => out.answer(&json(), || in_words(&found, out)),
        Format::Json => out.text(&format!("{}\n", json())),
        Format::Github => out.text(&annotations(&found)),
    }
    if errors == 0 && (warnings == 0 || !args.strict) {
        return Ok(Exit::Done);
    }
    Err(Failure::new(Exit::Failed, format!("{errors} errors, {warnings} warnings in {} templates", found.len())))
}

fn named_one(directory: PathBuf) -> Found {
    // A path like `.` has no name of its own.
    let named = directory.canonicalize().unwrap_or_else(|_| directory.clone());
    let read = platform::catalogue::read_template(&named);
    look(directory, read)
}

fn look(directory: PathBuf, read: ReadTemplate) -> Found {
    let mut findings = read.findings;
    if let Some(template) = &read.template {
        findings.extend(domain::template::lint(template));
        let scripts = template.scripts.iter().map(|script| script.name.as_str());
        findings.extend(scripts.flat_map(|script| shellcheck(&directory, script)));
    }
    findings.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    Found { directory, name: read.name, findings }
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

fn as_json(found: &Found) -> Value {
    json!({ "template": found.name, "findings": found.findings })
}

/// One workflow command for each finding; the pull request shows it beside the line.
fn annotations(found: &[Found]) -> String {
    let mut text = String::new();
    for Found { directory, findings, .. } in found {
        for finding in findings {
            let severity = match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            let file =
                escaped(&directory.join(&finding.file).display().to_string()).replace(',', "%2C").replace(':', "%3A");
            let line = finding.line.max(1);
            let words = escaped(&format!("{}; {}", finding.problem, finding.fix));
            text += &format!("::{severity} file={file},line={line}::{words}\n");
        }
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn in_words(found: &[Found], out: Output) -> String {
    let mut text = String::new();
    for Found { name, findings, .. } in found {
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
