use std::{fs, path::Path, process::Command};

use anyhow::{Context as _, Result, ensure};
use xtask::bench::Figure;

use crate::{group, install, plot};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Which; all of them when none is named.
    names: Vec<String>,
    /// One line of JSON per figure.
    #[arg(long)]
    json: bool,
}

/// Where the figures and the plots of a run are left.
const REPORT: &str = "target/bench";

/// A bench is found by its file, `<crate>/benches/<name>.rs`, and starts the servers that it needs itself.
pub(crate) fn run(args: &Args) -> Result<()> {
    install::missing()?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the workspace")?;
    let known = known(root)?;
    let names: Vec<&str> = known.iter().map(|(_, name)| name.as_str()).collect();
    for name in &args.names {
        ensure!(names.contains(&name.as_str()), "there is no bench {name}; there are: {}", names.join(", "));
    }
    let mut figures: Vec<Figure> = Vec::new();
    for (package, name) in &known {
        if args.names.is_empty() || args.names.contains(name) {
            let mut cargo = Command::new("cargo");
            cargo.current_dir(root).args(["bench", "--quiet", "--package", package, "--bench", name, "--", "--json"]);
            let mut told = |line: &str| match serde_json::from_str::<Figure>(line) {
                Ok(figure) => {
                    println!("{}", if args.json { line.to_owned() } else { figure.line() });
                    figures.push(figure);
                }
                Err(_) => eprintln!("{line}"),
            };
            group::each_line(&mut cargo, Some(&mut told)).with_context(|| format!("bench {name}"))?;
        }
    }
    report(&root.join(REPORT), &figures)?;
    if !args.json {
        summary(&figures);
    }
    Ok(())
}

fn report(to: &Path, figures: &[Figure]) -> Result<()> {
    fs::create_dir_all(to)?;
    fs::write(to.join("figures.json"), serde_json::to_string_pretty(figures)?)?;
    for (name, svg) in plot::all(figures) {
        fs::write(to.join(name), svg)?;
    }
    Ok(())
}

fn summary(figures: &[Figure]) {
    let missed: Vec<_> = figures.iter().filter(|figure| figure.met == Some(false)).collect();
    let held = figures.iter().filter(|figure| figure.met == Some(true)).count();
    println!("\n{} figures, {held} of {} aims met; in {REPORT}/", figures.len(), held + missed.len());
    for figure in missed {
        println!("missed: {}", figure.line());
    }
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
