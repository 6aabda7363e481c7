//! The calls, by resource. Each resource answers `None` for what is not its own.

mod access;
mod agent;
mod backup;
mod change;
mod cluster;
mod console;
mod download;
mod guests;
mod lxc;
mod nodes;
mod pools;
mod power;
mod qemu;
mod roles;
mod snapshots;
mod storage;
mod tasks;

use serde_json::{Value, json};

use super::answer::Done;
use super::asked::Asked;
use super::dispatch::not_simulated;
use crate::refusal::Refusal;

type Answer = Result<Done, Refusal>;

pub(super) async fn answer(name: &str, asked: &Asked) -> Answer {
    let plain = access::answer(name, asked)
        .or_else(|| roles::answer(name, asked))
        .or_else(|| cluster::answer(name, asked))
        .or_else(|| nodes::answer(name, asked))
        .or_else(|| storage::answer(name, asked))
        .or_else(|| download::answer(name, asked))
        .or_else(|| pools::answer(name, asked))
        .or_else(|| console::answer(name, asked))
        .or_else(|| backup::answer(name, asked))
        .or_else(|| guests::answer(name, asked))
        .or_else(|| power::answer(name, asked))
        .or_else(|| snapshots::answer(name, asked));
    if let Some(answer) = plain {
        return answer;
    }
    if let Some(answer) = tasks::answer(name, asked).await {
        return answer;
    }
    if let Some(answer) = lxc::answer(name, asked).await {
        return answer;
    }
    match qemu::answer(name, asked).await {
        Some(answer) => answer,
        None => not_simulated(name),
    }
}

/// The words below a path that is only an index.
pub(super) fn index(_path: &[String]) -> Value {
    subdirs(&["version", "cluster", "nodes", "storage", "access", "pools"])
}

fn subdirs(names: &[&str]) -> Value {
    names.iter().map(|name| json!({"subdir": name})).collect()
}

fn names(names: &[&str]) -> Value {
    names.iter().map(|name| json!({"name": name})).collect()
}
