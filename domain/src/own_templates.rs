//! The templates that an account made through the API, beside those of the tree. Their files are kept beside the log.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{AccountId, Aggregate, Event};

/// Most of one account.
pub const MOST: usize = 100;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
pub enum OwnTemplateEvent {
    /// Made, or changed: this is what it says from now on.
    #[serde(rename = "own_templates.kept")]
    Kept { name: String, version: String },
    #[serde(rename = "own_templates.removed")]
    Removed { name: String },
}

impl Event for OwnTemplateEvent {}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnTemplateCommand {
    Keep { name: String, version: String },
    Remove { name: String },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OwnTemplateRejection {
    #[error("there is no such template")]
    Unknown,
    #[error("an account has at most {MOST} templates of its own; remove one first")]
    TooMany,
}

/// By name, with their versions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnTemplates {
    versions: BTreeMap<String, String>,
}

impl OwnTemplateCommand {
    #[must_use]
    pub fn name(&self) -> &str {
        let (Self::Keep { name, .. } | Self::Remove { name }) = self;
        name
    }
}

impl OwnTemplates {
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.versions.iter().map(|(name, version)| (name.as_str(), version.as_str()))
    }

    #[must_use]
    pub fn version(&self, name: &str) -> Option<&str> {
        self.versions.get(name).map(String::as_str)
    }
}

impl Aggregate for OwnTemplates {
    const CATEGORY: &'static str = "own_templates";

    /// Nil is the installation's own.
    type Id = AccountId;
    type Command = OwnTemplateCommand;
    type Event = OwnTemplateEvent;
    type Rejection = OwnTemplateRejection;
    type Given = ();

    fn decide(&self, command: OwnTemplateCommand, (): &()) -> Result<Vec<OwnTemplateEvent>, OwnTemplateRejection> {
        use {OwnTemplateCommand as C, OwnTemplateEvent as E, OwnTemplateRejection as No};
        Ok(match command {
            C::Keep { name, version } => match self.versions.get(&name) {
                Some(known) if *known == version => vec![],
                None if self.versions.len() >= MOST => return Err(No::TooMany),
                _ => vec![E::Kept { name, version }],
            },
            C::Remove { name } if self.versions.contains_key(&name) => vec![E::Removed { name }],
            C::Remove { .. } => return Err(No::Unknown),
        })
    }

    fn evolve(mut self, event: &OwnTemplateEvent) -> Self {
        match event {
            OwnTemplateEvent::Kept { name, version } => drop(self.versions.insert(name.clone(), version.clone())),
            OwnTemplateEvent::Removed { name } => drop(self.versions.remove(name)),
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::given;

    fn keep(name: &str, version: &str) -> OwnTemplateCommand {
        OwnTemplateCommand::Keep { name: name.into(), version: version.into() }
    }

    fn kept(name: &str, version: &str) -> OwnTemplateEvent {
        OwnTemplateEvent::Kept { name: name.into(), version: version.into() }
    }

    #[test]
    fn one_is_made_changed_and_removed() {
        given::<OwnTemplates>([]).when(keep("web", "1"), &()).then([kept("web", "1")]);
        given::<OwnTemplates>([kept("web", "1")]).when(keep("web", "1"), &()).then([]);
        given::<OwnTemplates>([kept("web", "1")]).when(keep("web", "2"), &()).then([kept("web", "2")]);
        let remove = || OwnTemplateCommand::Remove { name: "web".into() };
        let removed = || OwnTemplateEvent::Removed { name: "web".into() };
        given::<OwnTemplates>([kept("web", "1")]).when(remove(), &()).then([removed()]);
        given::<OwnTemplates>([kept("web", "1"), removed()]).when(remove(), &()).then_rejected(|no| {
            assert_eq!(*no, OwnTemplateRejection::Unknown);
        });
    }

    #[test]
    fn an_account_has_so_many() {
        let all: Vec<_> = (0..MOST).map(|n| kept(&format!("t{n}"), "1")).collect();
        given::<OwnTemplates>(all.clone()).when(keep("one-more", "1"), &()).then_rejected(|no| {
            assert_eq!(*no, OwnTemplateRejection::TooMany);
        });
        given::<OwnTemplates>(all).when(keep("t0", "2"), &()).then([kept("t0", "2")]);
    }
}
