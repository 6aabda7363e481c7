//! Faults on demand, by rule.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};

/// What goes wrong, for which calls, and how often.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// `POST /nodes/*/lxc/*/status/start`: a method or `*`, and a path in which `*` stands for one word and a last `**` for any rest.
    /// For [`Effect::SshDrop`] and [`Effect::LockTimeout`] it is not looked at.
    #[serde(default = "any_call")]
    pub call: String,
    #[serde(default)]
    pub vmid: Option<u32>,
    #[serde(default)]
    pub node: Option<String>,
    #[serde(default)]
    pub when: When,
    /// After so many times the rule is spent.
    #[serde(default)]
    pub times: Option<u32>,
    pub effect: Effect,
}

impl Rule {
    /// Each time, wherever.
    pub fn always(call: &str, effect: Effect) -> Self {
        Self { call: call.to_owned(), vmid: None, node: None, when: When::Always, times: None, effect }
    }

    /// The next time.
    pub fn once(call: &str, effect: Effect) -> Self {
        Self { times: Some(1), ..Self::always(call, effect) }
    }
}

fn any_call() -> String {
    "* /**".to_owned()
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    #[default]
    Always,
    /// Only the nth call that fits, counted from 1.
    Nth(u32),
    /// Each nth call that fits.
    Every(u32),
    /// By chance, reproducible by the simulator's seed.
    Probability(f64),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    LatencyMs(u64),
    /// Nothing is done; this status and reason are answered, with the usual body.
    Status {
        status: u16,
        reason: String,
    },
    /// A 595, 596 or 599 with an empty body. With `done` the call was done all the same.
    Proxy {
        status: u16,
        reason: String,
        #[serde(default)]
        done: bool,
    },
    /// The connection is reset before anything is done.
    ResetBefore,
    /// The connection is reset after the call was done.
    ResetAfter,
    TaskHangs,
    /// The call's task fails in place of doing anything.
    TaskFails(String),
    /// The call's task does its work and then fails.
    TaskFailsAfter(String),
    TaskWarns(u32),
    /// The guest's lock file is held by somebody else.
    LockTimeout,
    /// From now on another certificate is shown.
    Certificate,
    /// The SSH connection drops so long after a command has started.
    SshDrop {
        after_ms: u64,
    },
}

/// What a rule does to a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TaskFault {
    Hangs,
    Fails(String),
    FailsAfter(String),
    Warns(u32),
}

struct Kept {
    id: u64,
    rule: Rule,
    seen: u32,
    hits: u32,
}

struct Inner {
    rules: Vec<Kept>,
    last: u64,
    random: StdRng,
}

/// The rules of one simulator.
pub struct Faults {
    inner: Mutex<Inner>,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        Self { inner: Mutex::new(Inner { rules: Vec::new(), last: 0, random: StdRng::seed_from_u64(seed) }) }
    }

    /// Adds a rule and answers its number.
    pub fn add(&self, rule: Rule) -> u64 {
        let mut inner = self.inner();
        inner.last += 1;
        let id = inner.last;
        inner.rules.push(Kept { id, rule, seen: 0, hits: 0 });
        id
    }

    pub fn remove(&self, id: u64) -> bool {
        let mut inner = self.inner();
        let before = inner.rules.len();
        inner.rules.retain(|kept| kept.id != id);
        inner.rules.len() < before
    }

    pub fn clear(&self) {
        self.inner().rules.clear();
    }

    /// How often a rule has come true.
    #[must_use]
    pub fn hits(&self, id: u64) -> u32 {
        self.inner().rules.iter().find(|kept| kept.id == id).map_or(0, |kept| kept.hits)
    }

    /// The rules with their numbers and how often each came true.
    #[must_use]
    pub fn list(&self) -> Vec<(u64, Rule, u32)> {
        self.inner().rules.iter().map(|kept| (kept.id, kept.rule.clone(), kept.hits)).collect()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The effects on a call, in the order of the rules.
    pub(crate) fn on_call(&self, method: &str, path: &str, node: Option<&str>, vmid: Option<u32>) -> Vec<Effect> {
        self.fire(|rule| {
            !matches!(rule.effect, Effect::SshDrop { .. } | Effect::LockTimeout)
                && fits(&rule.call, method, path)
                && rule.vmid.is_none_or(|wanted| Some(wanted) == vmid)
                && rule.node.as_deref().is_none_or(|wanted| Some(wanted) == node)
        })
    }

    /// How long after its start the connection of a command drops.
    pub fn ssh_drop(&self, node: &str, vmid: Option<u32>) -> Option<Duration> {
        let effects = self.fire(|rule| {
            matches!(rule.effect, Effect::SshDrop { .. })
                && rule.node.as_deref().is_none_or(|wanted| wanted == node)
                && rule.vmid.is_none_or(|wanted| Some(wanted) == vmid)
        });
        effects.into_iter().find_map(|effect| {
            if let Effect::SshDrop { after_ms } = effect { Some(Duration::from_millis(after_ms)) } else { None }
        })
    }

    /// Whether a rule may keep a guest's lock file from its next user.
    pub(crate) fn lock_held(&self, vmid: u32) -> bool {
        self.inner().rules.iter().any(|kept| is_lock(&kept.rule, vmid))
    }

    pub(crate) fn take_lock(&self, vmid: u32) -> bool {
        !self.fire(|rule| is_lock(rule, vmid)).is_empty()
    }

    fn fire(&self, fits: impl Fn(&Rule) -> bool) -> Vec<Effect> {
        let mut inner = self.inner();
        let Inner { rules, random, .. } = &mut *inner;
        let mut effects = Vec::new();
        for kept in rules.iter_mut().filter(|kept| fits(&kept.rule)) {
            kept.seen += 1;
            let spent = kept.rule.times.is_some_and(|times| kept.hits >= times);
            let now = match kept.rule.when {
                When::Always => true,
                When::Nth(nth) => kept.seen == nth,
                When::Every(nth) => nth > 0 && kept.seen.is_multiple_of(nth),
                When::Probability(chance) => random.random_bool(chance.clamp(0.0, 1.0)),
            };
            if now && !spent {
                kept.hits += 1;
                effects.push(kept.rule.effect.clone());
            }
        }
        effects
    }
}

fn is_lock(rule: &Rule, vmid: u32) -> bool {
    rule.effect == Effect::LockTimeout && rule.vmid.is_none_or(|wanted| wanted == vmid)
}

/// Whether a call fits a rule's pattern.
fn fits(pattern: &str, method: &str, path: &str) -> bool {
    let (wanted, pattern) = pattern.split_once(' ').unwrap_or(("*", pattern));
    if wanted != "*" && !wanted.eq_ignore_ascii_case(method) {
        return false;
    }
    let pattern: Vec<&str> = pattern.split('/').filter(|word| !word.is_empty()).collect();
    let words: Vec<&str> = path.split('/').filter(|word| !word.is_empty()).collect();
    let open = pattern.last() == Some(&"**");
    let fixed = if open { &pattern[..pattern.len() - 1] } else { &pattern[..] };
    (words.len() == fixed.len() || open && words.len() >= fixed.len())
        && fixed.iter().zip(&words).all(|(wanted, word)| *wanted == "*" || wanted == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(call: &str, when: When, times: Option<u32>) -> Rule {
        Rule { when, times, ..Rule::always(call, Effect::ResetBefore) }
    }

    #[test]
    fn patterns_fit_what_they_say() {
        assert!(fits("POST /nodes/*/lxc", "POST", "/nodes/pve1/lxc"));
        assert!(!fits("POST /nodes/*/lxc", "GET", "/nodes/pve1/lxc"));
        assert!(!fits("POST /nodes/*/lxc", "POST", "/nodes/pve1/lxc/100/clone"));
        assert!(fits("* /nodes/*/lxc/**", "DELETE", "/nodes/pve1/lxc/100"));
        assert!(fits("* /**", "GET", "/"));
    }

    #[test]
    fn a_rule_comes_true_as_often_as_it_says() {
        let count = |rule: Rule| {
            let faults = Faults::new(7);
            faults.add(rule);
            (0..12).map(|_| faults.on_call("GET", "/version", None, None).len()).collect::<Vec<_>>()
        };
        assert_eq!(count(rule("GET /version", When::Nth(3), None)).iter().position(|n| *n == 1), Some(2));
        assert_eq!(count(rule("GET /version", When::Every(4), Some(2))).iter().sum::<usize>(), 2);
        assert_eq!(
            count(rule("GET /version", When::Probability(0.5), None)),
            count(rule("GET /version", When::Probability(0.5), None))
        );
    }
}
