use std::path::{Path, PathBuf};

use domain::template::Severity;
use platform::catalogue::{pack, read_files, template_files, unpack, version_of};
use serde_json::json;

use crate::{
    exit::{Exit, Failure, Outcome, While as _},
    output::Output,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The directory of a template, or its name below infra/lxc/templates; with --into, a packed one.
    template: String,
    /// Where to; NAME.tar.gz here when it is left out.
    #[arg(long, value_name = "FILE", conflicts_with = "into")]
    to: Option<PathBuf>,
    /// Unpack instead, as a directory below this one.
    #[arg(long, value_name = "DIRECTORY")]
    into: Option<PathBuf>,
}

pub(super) fn run(args: &Args, out: Output) -> Outcome {
    match &args.into {
        Some(into) => unpacked(Path::new(&args.template), into, out),
        None => packed(args, out),
    }
}

fn packed(args: &Args, out: Output) -> Outcome {
    let directory = super::directory(&args.template);
    let template = super::read(&directory)?;
    let files = template_files(&directory).map_err(|finding| Failure::new(Exit::Failed, finding.to_string()))?;
    let bytes = pack(&template.name, &files)
        .map_err(|error| Failure::new(Exit::Failed, format!("{} can't be packed: {error}", template.name)))?;
    let to = args.to.clone().unwrap_or_else(|| PathBuf::from(format!("{}.tar.gz", template.name)));
    std::fs::write(&to, &bytes).during(format!("writing {}", to.display()))?;
    let version = version_of(&template);
    let answer = json!({ "template": template.name, "version": version, "file": to, "bytes": bytes.len(), "files": files.len() });
    out.answer(&answer, || {
        format!(
            "{} holds {} ({} files, {} bytes)\nversion {version}",
            to.display(),
            template.name,
            files.len(),
            bytes.len()
        )
    });
    Ok(Exit::Done)
}

/// Nothing is written before all of it was read and can be used.
fn unpacked(file: &Path, into: &Path, out: Output) -> Outcome {
    let bytes = std::fs::read(file).during(format!("reading {}", file.display()))?;
    let wrong = |why: String| Failure::new(Exit::Failed, format!("{} {why}", file.display()));
    let (name, files) = unpack(&bytes).map_err(|error| wrong(error.to_string()))?;
    let read = read_files(&name, files.clone());
    let Some(template) = read.template else {
        let errors = read.findings.iter().filter(|finding| finding.severity == Severity::Error);
        let errors: Vec<String> = errors.map(ToString::to_string).collect();
        return Err(wrong(format!("holds no template that can be used:\n  {}", errors.join("\n  "))));
    };
    let directory = into.join(&name);
    if directory.exists() {
        return Err(Failure::new(Exit::Failed, format!("{} is there already", directory.display()))
            .next("remove it, or unpack into another directory"));
    }
    for (path, content) in &files {
        let target = directory.join(path);
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent).during(format!("making {}", parent.display()))?;
        }
        std::fs::write(&target, content).during(format!("writing {}", target.display()))?;
    }
    let version = version_of(&template);
    out.answer(&json!({ "template": name, "version": version, "directory": directory }), || {
        format!("{} is {name}\nversion {version}", directory.display())
    });
    Ok(Exit::Done)
}
