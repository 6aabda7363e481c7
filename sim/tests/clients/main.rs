//! Third-party clients against the simulator, unchanged.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by failing")]

use std::path::Path;
use std::process::Output;

use tokio::process::Command;

async fn run(dir: &Path, program: &str, args: &[&str]) -> Output {
    Command::new(program).args(args).current_dir(dir).output().await.unwrap()
}

async fn must(dir: &Path, program: &str, args: &[&str]) {
    let output = run(dir, program, args).await;
    assert!(
        output.status.success(),
        "{program} {args:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

async fn simulator() -> sim::Sim {
    sim::start(sim::Options { dry_shell: true, ..sim::Options::default() }).await.unwrap()
}

#[tokio::test]
#[ignore = "needs python: cargo xtask test"]
async fn proxmoxer_creates_starts_snapshots_resizes_and_deletes() {
    let dir = tempfile::tempdir().unwrap();
    let sim = simulator().await;
    must(dir.path(), "python3", &["-m", "venv", "venv"]).await;
    must(dir.path(), "venv/bin/pip", &["install", "--quiet", "proxmoxer", "requests"]).await;
    std::fs::write(dir.path().join("script.py"), include_str!("proxmoxer.py")).unwrap();
    let port = sim.nodes()[0].api.port().to_string();
    must(dir.path(), "venv/bin/python", &["script.py", &port]).await;
    assert!(sim.world().vmids().is_empty());
    sim.stop().await;
}

#[tokio::test]
#[ignore = "needs npm: cargo xtask test"]
async fn an_npm_client_creates_starts_snapshots_resizes_and_deletes() {
    let dir = tempfile::tempdir().unwrap();
    let sim = simulator().await;
    std::fs::write(dir.path().join("package.json"), r#"{"private": true, "type": "module"}"#).unwrap();
    must(dir.path(), "npm", &["install", "--silent", "--no-audit", "--no-fund", "proxmox-api"]).await;
    std::fs::write(dir.path().join("script.mjs"), include_str!("proxmox_api.mjs")).unwrap();
    let port = sim.nodes()[0].api.port().to_string();
    must(dir.path(), "node", &["script.mjs", &port]).await;
    assert!(sim.world().vmids().is_empty());
    sim.stop().await;
}
