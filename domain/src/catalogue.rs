//! Which templates the tree was last seen to hold: what changed there is told once, whoever saw it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Aggregate, Event};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
pub enum CatalogueEvent {
    #[serde(rename = "template.added")]
    Added { name: String, version: String },
    /// Also when it was broken before.
    #[serde(rename = "template.changed")]
    Changed { name: String, version: String },
    /// It can't be used any more, or never could.
    #[serde(rename = "template.broken")]
    Broken { name: String, reason: String },
    #[serde(rename = "template.removed")]
    Removed { name: String },
}

impl Event for CatalogueEvent {}

impl CatalogueEvent {
    #[must_use]
    pub fn template(&self) -> &str {
        match self {
            Self::Added { name, .. }
            | Self::Changed { name, .. }
            | Self::Broken { name, .. }
            | Self::Removed { name } => name,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// With the hash of what it says.
    Usable(String),
    /// With the first reason.
    Broken(String),
}

/// All that a look at the tree found, by name.
pub type Seen = BTreeMap<String, Standing>;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue {
    known: Seen,
}

/// There is one tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tree;

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tree")
    }
}

impl Aggregate for Catalogue {
    const CATEGORY: &'static str = "template";

    type Id = Tree;
    type Command = Seen;
    type Event = CatalogueEvent;
    type Rejection = Infallible;
    type Given = ();

    fn decide(&self, seen: Seen, (): &()) -> Result<Vec<CatalogueEvent>, Infallible> {
        let gone = self.known.keys().filter(|name| !seen.contains_key(*name));
        let gone = gone.map(|name| CatalogueEvent::Removed { name: name.clone() });
        let other = seen.iter().filter_map(|(name, standing)| {
            let (name, known) = (name.clone(), self.known.get(name));
            match standing {
                standing if known == Some(standing) => None,
                Standing::Usable(version) if known.is_none() => {
                    Some(CatalogueEvent::Added { name, version: version.clone() })
                }
                Standing::Usable(version) => Some(CatalogueEvent::Changed { name, version: version.clone() }),
                Standing::Broken(reason) => Some(CatalogueEvent::Broken { name, reason: reason.clone() }),
            }
        });
        Ok(gone.chain(other).collect())
    }

    fn evolve(mut self, event: &CatalogueEvent) -> Self {
        use CatalogueEvent as E;
        match event {
            E::Added { name, version } | E::Changed { name, version } => {
                self.known.insert(name.clone(), Standing::Usable(version.clone()));
            }
            E::Broken { name, reason } => drop(self.known.insert(name.clone(), Standing::Broken(reason.clone()))),
            E::Removed { name } => drop(self.known.remove(name)),
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::given;

    fn seen(all: &[(&str, Result<&str, &str>)]) -> Seen {
        let standing = |said: &Result<&str, &str>| match said {
            Ok(version) => Standing::Usable((*version).to_owned()),
            Err(reason) => Standing::Broken((*reason).to_owned()),
        };
        all.iter().map(|(name, said)| ((*name).to_owned(), standing(said))).collect()
    }

    #[test]
    fn what_changed_is_told_once() {
        use CatalogueEvent as E;
        let first = seen(&[("new", Ok("1")), ("odd", Err("why")), ("web", Ok("1"))]);
        let told = [
            E::Added { name: "new".into(), version: "1".into() },
            E::Broken { name: "odd".into(), reason: "why".into() },
            E::Added { name: "web".into(), version: "1".into() },
        ];
        given::<Catalogue>([]).when(first.clone(), &()).then(told.clone());
        given::<Catalogue>(told.clone()).when(first, &()).then([]);
        let later = seen(&[("odd", Ok("2")), ("web", Ok("3"))]);
        given::<Catalogue>(told).when(later, &()).then([
            E::Removed { name: "new".into() },
            E::Changed { name: "odd".into(), version: "2".into() },
            E::Changed { name: "web".into(), version: "3".into() },
        ]);
    }
}
