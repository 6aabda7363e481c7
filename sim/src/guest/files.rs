//! File tools with the rights that the guests' files need.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;

use super::error::GuestError;
use super::isolation::{Isolation, Mode};

pub(super) async fn remove(isolation: Option<&Isolation>, path: &Path) -> Result<(), GuestError> {
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    tool(isolation, "rm", &["-rf".as_ref(), "--".as_ref(), path.as_os_str()]).await
}

/// Runs a file tool with the rights that the guests' files need: an ordinary user is root only in a user namespace.
pub(super) async fn tool(isolation: Option<&Isolation>, program: &str, args: &[&OsStr]) -> Result<(), GuestError> {
    let output = tokio::process::Command::from(file_command(isolation, program, args)).output().await;
    let output = output.map_err(|e| GuestError::io(format!("run {program}"), e))?;
    if output.status.success() {
        return Ok(());
    }
    Err(GuestError::Tool { what: program.to_owned(), said: String::from_utf8_lossy(&output.stderr).trim().to_owned() })
}

fn file_command(isolation: Option<&Isolation>, program: &str, args: &[&OsStr]) -> std::process::Command {
    let mut command = match isolation {
        Some(isolation) if isolation.mode == Mode::User => {
            let mut command = std::process::Command::new(&isolation.tools.unshare);
            command.args(["--user", "--map-root-user", program]);
            command
        }
        _ => std::process::Command::new(program),
    };
    command.args(args).stdin(Stdio::null()).env("LC_ALL", "C");
    command
}

/// For the end, where nothing can wait: a guest that is just dying may still put a file there, hence the second go.
pub(super) fn remove_now(isolation: Option<&Isolation>, path: &Path) {
    for _ in 0..20 {
        let done = file_command(isolation, "rm", &["-rf".as_ref(), "--".as_ref(), path.as_os_str()])
            .stderr(Stdio::null())
            .status();
        if done.is_ok_and(|status| status.success()) || path.symlink_metadata().is_err() {
            return;
        }
    }
}

/// Removes directories that a copy was being made in, and those of probes.
pub(super) fn remove_unfinished(dir: &Path) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.contains(".making") || name.starts_with("probe-") || name.starts_with("restore-") {
            // Whoever left it may have had other rights than we; then it stays, and nothing comes of it.
            remove_now(None, &entry.path());
        }
    }
}
