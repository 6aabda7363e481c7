//! Secrets that nobody may find: looked for byte by byte, plain and in hex, wherever something is written down.

use std::collections::BTreeSet;

use crate::ground::Ground;

/// Every password that the load gives begins so.
pub(crate) const CANARY: &str = "Canary-in-the-mine-";

/// All there are.
pub(crate) fn of(ground: &Ground) -> Vec<String> {
    ground.secrets().into_iter().chain([CANARY.to_owned()]).collect()
}

/// Where one of them is; never which one, for this is printed.
pub(crate) fn found(secrets: &[String], place: &str, bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let number = secrets.iter().position(|secret| {
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        text.contains(secret) || text.contains(&hex)
    })?;
    Some(format!("secret {number} stands in {place}"))
}

/// What the process list of this machine shows of them.
pub(crate) fn in_process_list(secrets: &[String]) -> BTreeSet<String> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    lines
        .filter_map(|line| {
            let program = line.split(|byte| *byte == 0).next().unwrap_or_default();
            let place = format!("the process list, at {}", String::from_utf8_lossy(program));
            found(secrets, &place, &line)
        })
        .collect()
}
