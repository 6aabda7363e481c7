//! From a status, a reason and an `errors` map to one [`Error`]. The texts are those of real hosts.

use std::collections::BTreeMap;

use crate::error::{Denied, Error, Lock, Outcome, Said, State, Thing};
use crate::task::INTERRUPTED;

/// `reads`: a call that changes nothing has no unknown outcome.
pub(crate) fn classify(said: Said, fields: BTreeMap<String, String>, reads: bool) -> Error {
    let unknown = if reads { Outcome::NotDone } else { Outcome::Unknown };
    match said.status {
        // Before the node behind pveproxy was reached: nothing was done.
        595 => return Error::Unreachable(Outcome::NotDone, said),
        // 596: no answer within 30 s, while the work may go on. 597-599: the connection broke.
        502..=504 | 596..=599 => return Error::Unreachable(unknown, said),
        401 => return Error::Auth(said),
        _ => {}
    }
    if let Some(error) = by_words(&said) {
        return error;
    }
    for words in fields.values() {
        if let Some(error) = by_words(&Said { words: words.trim_end().to_owned(), ..said.clone() }) {
            return error;
        }
    }
    match said.status {
        403 => Error::Permission(denied(&said.words), said),
        _ if !fields.is_empty() => {
            if fields.values().any(|words| words.contains("Only root may")) {
                return Error::Permission(Denied::RootOnly, said);
            }
            Error::Parameter(fields, said)
        }
        400 => Error::Parameter(fields, said),
        _ => Error::Other(said),
    }
}

/// The last line of a task that failed, which knows no status.
pub(crate) fn classify_exit(said: Said) -> Error {
    if said.words.contains("Permission check failed") {
        return Error::Permission(denied(&said.words), said);
    }
    if said.words == INTERRUPTED {
        return Error::Interrupted(said);
    }
    by_words(&said).unwrap_or(Error::Other(said))
}

fn by_words(said: &Said) -> Option<Error> {
    let (words, said) = (said.words.as_str(), said.clone());
    if words.contains("can't lock file") && words.contains("got timeout") {
        return Some(Error::Locked(Lock::File, said));
    }
    if let Some(by) = between(words, " is locked (", ")") {
        return Some(Error::Locked(Lock::Config(by.to_owned()), said));
    }
    if words.contains("detected modified configuration") {
        return Some(Error::Conflict(said));
    }
    if words.contains("already running") {
        return Some(Error::AlreadySo(State::Running, said));
    }
    // "QEMU guest agent is not running" is about the agent, not about the guest.
    let about_guest = ["CT ", "VM ", "container '"].iter().any(|start| words.starts_with(start));
    if about_guest && (words.contains("not running")) {
        return Some(Error::AlreadySo(State::Stopped, said));
    }
    if words.contains("already exists") || words.contains("already used") {
        return Some(Error::AlreadyExists(thing(words), said));
    }
    let missing = [
        "does not exist",
        "no such task",
        "no such user",
        "no such token",
        "no such cluster node",
        "hostname lookup",
        "no such volume",
        "No such file or directory",
    ];
    if missing.iter().any(|sign| words.contains(sign)) {
        return Some(Error::NotFound(thing(words), said));
    }
    None
}

fn thing(words: &str) -> Thing {
    let signs = [
        ("no such task", Thing::Task),
        ("RRD error", Thing::Metrics),
        ("hostname lookup", Thing::Node),
        ("cluster node", Thing::Node),
        ("snapshot ", Thing::Snapshot),
        ("pool ", Thing::Pool),
        ("storage '", Thing::Storage),
        ("bridge '", Thing::Bridge),
        ("volume ", Thing::Volume),
        ("disk '", Thing::Disk),
        ("Configuration file 'nodes/", Thing::Guest),
        ("CT ", Thing::Guest),
        ("VM ", Thing::Guest),
    ];
    signs.iter().find(|(sign, _)| words.contains(sign)).map_or(Thing::Other, |(_, thing)| *thing)
}

fn denied(words: &str) -> Denied {
    if words.contains("root@pam") {
        return Denied::RootOnly;
    }
    if words.contains("not available with API token") {
        return Denied::NotWithToken;
    }
    let named = between(words, "Permission check failed (", ")").and_then(|inner| inner.split_once(", "));
    match named {
        Some((path, privilege)) if path.starts_with('/') => {
            Denied::Privilege { path: path.to_owned(), privilege: privilege.to_owned() }
        }
        _ => Denied::Unnamed,
    }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(inner, _)| inner)
}
