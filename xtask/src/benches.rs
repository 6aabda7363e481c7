use std::{fs, path::Path, process::Command};

use anyhow::{Context as _, Result, ensure};

use crate::{group, install};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Which; all of them when none is named.
    names: Vec<String>,
    /// One line of JSON per figure.
    #[arg(long)]
    json: bool,
}

/// A bench is found by its file, `<crate>/benches/<name>.rs`, and starts the servers that it needs itself.
pub(crate) fn run(args: &Args) -> Result<()> {
    install::missing()?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the workspace")?;
    let known = known(root)?;
    let names: Vec<&str> = known.iter().map(|(_, name)| name.as_str()).collect();
    for name in &args.names {
        ensure!(names.contains(&name.as_str()), "there is no bench {name}; there are: {}", names.join(", "));
    }
    for (package, name) in &known {
        if args.names.is_empty() || args.names.contains(name) {
            let mut cargo = Command::new("cargo");
            cargo.current_dir(root).args(["bench", "--quiet", "--package", package, "--bench", name, "--"]);
            cargo.args(args.json.then_some("--json"));
            group::run(&mut cargo).with_context(|| format!("bench {name}"))?;
        }
    }
    Ok(())
}

fn known(root: &Path) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for package in fs::read_dir(root)?.flatten() {
        for bench in fs::read_dir(package.path().join("benches")).into_iter().flatten().flatten() {
            let file = bench.path();
            if let (Some("rs"), Some(name)) = (file.extension().and_then(|e| e.to_str()), file.file_stem()) {
                let package = package.file_name().to_string_lossy().into_owned();
                found.push((package, name.to_string_lossy().into_owned()));
            }
        }
    }
    found.sort();
    Ok(found)
}
