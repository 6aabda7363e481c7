//! What the official API schema says of each call: its parameters, who may call it, and where it runs.
//!
//! `api.json` holds the facts of Proxmox VE 9.1's own API viewer data, without its prose.

mod check;
mod format;
mod property;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::Value;

pub(crate) use check::{Given, check};
pub(crate) use property::{parse as parse_property, write as write_property};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Call {
    /// Needs a ticket: no API token may call it.
    pub(crate) ticket: u8,
    /// Runs in the privileged daemon, which shows in the answer's headers.
    pub(crate) protected: u8,
    pub(crate) proxyto: Option<String>,
    /// `all` for every known user, `world` for anyone.
    pub(crate) user: Option<String>,
    pub(crate) check: Option<Value>,
    pub(crate) params: BTreeMap<String, Param>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Param {
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    pub(crate) format: Option<Format>,
    #[serde(rename = "enum")]
    pub(crate) values: Option<Vec<Value>>,
    pub(crate) minimum: Option<f64>,
    pub(crate) maximum: Option<f64>,
    pub(crate) min_length: Option<usize>,
    pub(crate) max_length: Option<usize>,
    pub(crate) pattern: Option<String>,
    pub(crate) optional: u8,
    pub(crate) alias: Option<String>,
    pub(crate) key_alias: Option<String>,
    pub(crate) requires: Option<String>,
    #[serde(rename = "default_key")]
    pub(crate) default_key: u8,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Format {
    Named(String),
    Nested(BTreeMap<String, Param>),
}

/// A call that was found by its path.
pub(crate) struct Found {
    pub(crate) call: &'static Call,
    /// `GET /nodes/{node}/lxc`.
    pub(crate) name: &'static str,
    /// The parameters in the path.
    pub(crate) path: BTreeMap<String, String>,
}

fn all() -> &'static BTreeMap<String, Call> {
    static ALL: OnceLock<BTreeMap<String, Call>> = OnceLock::new();
    ALL.get_or_init(|| serde_json::from_str(include_str!("api.json")).unwrap_or_default())
}

/// Finds the call of a method and a decoded path; fixed words win over parameters.
pub(crate) fn find(method: &str, path: &[String]) -> Option<Found> {
    let mut best: Option<(usize, Found)> = None;
    for (name, call) in all() {
        let Some((its_method, template)) = name.split_once(' ') else { continue };
        if its_method != method {
            continue;
        }
        let words: Vec<&str> = template.split('/').filter(|word| !word.is_empty()).collect();
        // A volume's name holds slashes: the last parameter of its path takes all the rest.
        let greedy = words.last() == Some(&"{volume}") && path.len() > words.len();
        if words.len() != path.len() && !greedy {
            continue;
        }
        let mut fixed = 0;
        let mut found = BTreeMap::new();
        let fits = words.iter().enumerate().all(|(at, word)| {
            match word.strip_prefix('{').and_then(|word| word.strip_suffix('}')) {
                Some(name) => {
                    let value = if greedy && at + 1 == words.len() { path[at..].join("/") } else { path[at].clone() };
                    found.insert(name.to_owned(), value);
                    true
                }
                None => {
                    fixed += 1;
                    *word == path[at]
                }
            }
        });
        if fits && best.as_ref().is_none_or(|(most, _)| fixed > *most) {
            best = Some((fixed, Found { call, name, path: found }));
        }
    }
    best.map(|(_, found)| found)
}

/// The facts of one parameter of a call, for those that read a configuration back.
pub(crate) fn param(call: &str, name: &str) -> Option<&'static Param> {
    check::named(&all().get(call)?.params, name).map(|(_, param)| param)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(path: &str) -> Vec<String> {
        path.split('/').filter(|word| !word.is_empty()).map(str::to_owned).collect()
    }

    #[test]
    fn fixed_words_win_and_volumes_keep_their_slashes() {
        assert!(all().len() > 150);
        let found = find("GET", &words("/nodes/pve1/lxc/101/status/current")).unwrap();
        assert_eq!(found.name, "GET /nodes/{node}/lxc/{vmid}/status/current");
        assert_eq!(found.path["vmid"], "101");
        let found = find("DELETE", &words("/nodes/pve1/storage/local/content/local:backup/vzdump-lxc-1.tar")).unwrap();
        assert_eq!(found.path["volume"], "local:backup/vzdump-lxc-1.tar");
        assert!(find("GET", &words("/nosuchpath")).is_none());
    }
}
