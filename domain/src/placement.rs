//! Where a container goes when nobody said where: all nodes are judged by the same facts, and each is told why.

use serde::{Deserialize, Serialize};

use crate::HostId;
use crate::container::ContainerSpec;

/// What the container takes, and what it has to keep away from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    pub cores: u32,
    pub memory_mb: u32,
    pub disk_gb: u32,
    pub storage: Option<String>,
    /// Containers that bear this tag are kept on different nodes as long as there are enough.
    pub spread_by: Option<String>,
    /// It was said where: what is tight is the caller's to judge, what does not fit stays impossible.
    pub named: bool,
}

/// A node, as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub host: HostId,
    pub host_name: String,
    pub node: String,
    /// Why it takes no containers at all: it is offline, or in maintenance.
    pub barred: Option<String>,
    /// 0: not known.
    pub cores: u32,
    /// Of all its guests together; more than it has is usual.
    pub cores_promised: u32,
    /// 0: not known.
    pub memory_mb: u64,
    pub memory_free_mb: u64,
    /// To containers that are on their way there.
    pub memory_promised_mb: u64,
    /// Those that may hold root disks.
    pub storages: Vec<Space>,
    pub guests: u32,
    /// Guests with one of the container's tags.
    pub alike: u32,
    /// Guests with the tag that it is to be kept apart by.
    pub same_spread: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Space {
    pub name: String,
    /// One storage for all nodes, rather than one of that name on each.
    pub shared: bool,
    pub free_mb: u64,
    /// 0: not known.
    pub total_mb: u64,
}

/// A node with what spoke for or against it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Considered {
    pub host: HostId,
    pub host_name: String,
    pub node: String,
    /// 0 to 1000; none when it can't take it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<u32>,
    /// Where the root disk would go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<String>,
    pub why: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    pub host: HostId,
    pub node: String,
    pub storage: String,
    pub shared: bool,
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// None when no node can take it.
    pub chosen: Option<Chosen>,
    /// All, the best first.
    pub considered: Vec<Considered>,
}

/// What counts how much; together 1000.
const MEMORY: u64 = 400;
const STORAGE: u64 = 200;
const CORES: u64 = 200;
const GUESTS: u64 = 100;
const ALIKE: u64 = 100;
/// So many times its cores may be promised before a node gets nothing for them.
const CORES_PROMISED: u64 = 4;

impl Need {
    #[must_use]
    pub fn of(spec: &ContainerSpec, named: bool) -> Self {
        Self {
            cores: spec.cores,
            memory_mb: spec.memory_mb,
            disk_gb: spec.disk_gb,
            storage: spec.storage.clone(),
            spread_by: spec.spread_by.clone(),
            named,
        }
    }

    const fn disk_mb(&self) -> u64 {
        (self.disk_gb as u64) << 10
    }
}

/// Judges all; in which order they come changes nothing.
#[must_use]
pub fn choose(need: &Need, candidates: &[Candidate]) -> Verdict {
    let mut judged: Vec<_> = candidates.iter().map(|candidate| (candidate, judge(need, candidate))).collect();
    judged.sort_by(|(a, left), (b, right)| {
        let rank = |candidate: &Candidate, fit: &Result<Fit<'_>, String>| match fit {
            // Being apart comes before everything else.
            Ok(fit) => (0, candidate.same_spread, u32::MAX - fit.score),
            Err(_) => (1, 0, 0),
        };
        rank(a, left)
            .cmp(&rank(b, right))
            .then_with(|| (&a.host_name, &a.node, a.host).cmp(&(&b.host_name, &b.node, b.host)))
    });
    let chosen = judged.first().and_then(|(candidate, fit)| {
        let fit = fit.as_ref().ok()?;
        Some(Chosen {
            host: candidate.host,
            node: candidate.node.clone(),
            storage: fit.storage.name.clone(),
            shared: fit.storage.shared,
            reason: if need.named { "asked for".to_owned() } else { words(need, candidate, fit) },
        })
    });
    let considered = judged.iter().map(|(candidate, fit)| Considered {
        host: candidate.host,
        host_name: candidate.host_name.clone(),
        node: candidate.node.clone(),
        score: fit.as_ref().ok().map(|fit| fit.score),
        storage: fit.as_ref().ok().map(|fit| fit.storage.name.clone()),
        why: fit.as_ref().map_or_else(Clone::clone, |fit| words(need, candidate, fit)),
    });
    Verdict { considered: considered.collect(), chosen }
}

struct Fit<'a> {
    storage: &'a Space,
    score: u32,
}

/// # Errors
/// Why it can't go there.
fn judge<'a>(need: &Need, candidate: &'a Candidate) -> Result<Fit<'a>, String> {
    if let Some(barred) = &candidate.barred {
        return Err(barred.clone());
    }
    let memory = u64::from(need.memory_mb);
    if candidate.cores > 0 && candidate.cores < need.cores {
        return Err(format!("it has {} cores, {} are asked for", candidate.cores, need.cores));
    }
    if candidate.memory_mb > 0 && candidate.memory_mb < memory {
        return Err(format!("it has {} MB of memory, {memory} are asked for", candidate.memory_mb));
    }
    if !need.named && candidate.memory_mb > 0 && candidate.memory_free_mb < memory {
        return Err(format!("{} MB of memory are free, {memory} are asked for", candidate.memory_free_mb));
    }
    let storage = storage(need, candidate)?;
    let left = candidate.memory_free_mb.saturating_sub(memory + candidate.memory_promised_mb);
    let room = (u64::from(candidate.cores) * CORES_PROMISED)
        .saturating_sub(u64::from(candidate.cores_promised) + u64::from(need.cores));
    let score = share(MEMORY, left, candidate.memory_mb)
        + share(STORAGE, storage.free_mb.saturating_sub(need.disk_mb()), storage.total_mb)
        + share(CORES, room, u64::from(candidate.cores) * CORES_PROMISED)
        + share(GUESTS, 1, 1 + u64::from(candidate.guests))
        + share(ALIKE, 1, 1 + u64::from(candidate.alike));
    Ok(Fit { storage, score: u32::try_from(score).unwrap_or(u32::MAX) })
}

fn storage<'a>(need: &Need, candidate: &'a Candidate) -> Result<&'a Space, String> {
    let named = |space: &&Space| need.storage.as_ref().is_none_or(|name| *name == space.name);
    let best = candidate.storages.iter().filter(named).max_by_key(|space| (space.free_mb, &space.name));
    let best = best.ok_or_else(|| match &need.storage {
        Some(name) => format!("it has no storage {name} that may hold root disks"),
        None => "it has no storage that may hold root disks".to_owned(),
    })?;
    if best.total_mb > 0 && best.free_mb < need.disk_mb() {
        let free = best.free_mb >> 10;
        return Err(format!("{} has {free} GiB free of the {} asked for", best.name, need.disk_gb));
    }
    Ok(best)
}

/// What is not known counts half.
fn share(of: u64, part: u64, whole: u64) -> u64 {
    if whole == 0 {
        of / 2
    } else {
        u64::try_from(u128::from(of) * u128::from(part.min(whole)) / u128::from(whole)).unwrap_or(of)
    }
}

fn words(need: &Need, candidate: &Candidate, fit: &Fit<'_>) -> String {
    let Candidate { memory_free_mb, memory_mb, guests, cores, cores_promised, .. } = candidate;
    let mut words = format!(
        "score {}: {memory_free_mb} of {memory_mb} MB of memory free, {} GiB free on {}, {cores_promised} cores promised of {cores}, {guests} guests",
        fit.score,
        fit.storage.free_mb >> 10,
        fit.storage.name,
    );
    if candidate.alike > 0 {
        words.push_str(&format!(", {} with a tag of its own", candidate.alike));
    }
    if let Some(tag) = &need.spread_by {
        words.push_str(&format!(", {} with {tag}", candidate.same_spread));
    }
    words
}
