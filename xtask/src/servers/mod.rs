//! Private Postgres, Redis and sshd, each in a temporary directory on a free port, gone when the value is dropped
//! and also when the process that started them is killed.

mod postgres;
mod process;
mod redis;
pub mod small_disk;
mod sshd;

pub use postgres::Postgres;
pub use redis::Redis;
pub use sshd::Sshd;

use std::{
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

/// Where a program is: on the PATH, in `/usr/sbin`, or in the newest of Debian's Postgres directories.
#[must_use]
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    places.extend(["/usr/sbin", "/sbin", "/usr/bin"].map(PathBuf::from));
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    places.extend(versions.into_iter().map(|(_, bin)| bin));
    places.into_iter().map(|place| place.join(program)).find(|file| file.is_file())
}

fn program(name: &str) -> Result<PathBuf> {
    find(name).with_context(|| format!("{name} is not installed: `cargo xtask test` installs what tests need"))
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// What a server said last, for the message when it doesn't start.
fn last_words(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(12)..).unwrap_or_default().join("\n")
}
