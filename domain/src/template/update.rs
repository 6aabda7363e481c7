//! Bringing a container's files from one version of its template to another, and what stands against it.
//!
//! Three are compared: what Gantry wrote there last, what is there now, and what the new version has.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{FilePolicy, Template, TemplateFile};

/// Which one stays, where a file was changed both in the container and in the template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The template's.
    Theirs,
    /// The container's.
    Ours,
}

/// What was decided about conflicts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Take {
    /// Of every file that is not named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub all: Option<Side>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, Side>,
}

impl Take {
    fn of(&self, path: &str) -> Option<Side> {
        self.files.get(path).copied().or(self.all)
    }
}

/// Digests of a file as the container has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// Of what Gantry wrote there last.
    pub recorded: Option<String>,
    /// Of what is there.
    pub current: Option<String>,
}

/// What an update does to one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileUpdate {
    pub path: String,
    pub what: FileChange,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileChange {
    Created,
    Replaced,
    /// The one that is there is moved aside first.
    BackedUp,
    /// It has that content already: only its mode and owner are set.
    Confirmed,
    Removed,
    /// The container's stays.
    Kept,
    /// Nothing is done until somebody says which one stays.
    Conflict,
}

impl FileChange {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Replaced => "replaced",
            Self::BackedUp => "backed up and replaced",
            Self::Confirmed => "there already",
            Self::Removed => "removed",
            Self::Kept => "kept",
            Self::Conflict => "in conflict",
        }
    }
}

impl std::fmt::Display for FileUpdate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.path, self.what.word())?;
        self.because.as_ref().map_or(Ok(()), |because| write!(f, " ({because})"))
    }
}

/// The paths that have to be looked at for it: those that either version has.
#[must_use]
pub fn paths_to_compare(old: &Template, new: &Template) -> Vec<String> {
    let mut paths: Vec<String> = old.files.iter().chain(&new.files).map(TemplateFile::target).collect();
    paths.sort();
    paths.dedup();
    paths
}

/// What becomes of each file that the template changed. Said again when half of it is done, it is the other half.
#[must_use]
pub fn file_updates(
    old: &Template,
    new: &Template,
    seen: &BTreeMap<String, Seen>,
    take: &Take,
    digest: impl Fn(&[u8]) -> String,
) -> Vec<FileUpdate> {
    let nothing = Seen::default();
    let seen = |path: &str| seen.get(path).unwrap_or(&nothing);
    let named = |template: &Template, path: &str| template.files.iter().find(|file| file.target() == path).cloned();
    let mut all = Vec::new();
    for path in paths_to_compare(old, new) {
        let (before, after) = (named(old, &path), named(new, &path));
        let decided = match (&before, &after) {
            (_, Some(file)) if before.as_ref() == Some(file) => None,
            (_, Some(file)) => Some(changed(file, seen(&path), take.of(&path), &digest(&file.content))),
            (Some(file), None) => removed(file, seen(&path)),
            (None, None) => None,
        };
        all.extend(decided.map(|(what, because)| FileUpdate { path, what, because: because.map(str::to_owned) }));
    }
    all
}

type Decided = (FileChange, Option<&'static str>);

fn changed(file: &TemplateFile, seen: &Seen, side: Option<Side>, wanted: &str) -> Decided {
    let put = match file.policy {
        FilePolicy::Replace => FileChange::Replaced,
        // Who takes the template's although its policy leaves the container's alone does not lose that one.
        FilePolicy::Backup | FilePolicy::Default => FileChange::BackedUp,
    };
    let why = match (seen.current.as_deref(), seen.recorded.as_deref()) {
        (Some(now), _) if now == wanted => return (FileChange::Confirmed, None),
        (None, None) => return (FileChange::Created, None),
        (Some(_), _) if file.policy == FilePolicy::Default && side != Some(Side::Theirs) => {
            return (FileChange::Kept, Some("its policy leaves the container's alone"));
        }
        (Some(now), Some(recorded)) if now == recorded => return (put, None),
        (Some(_), Some(_)) => "it was changed in the container and in the template",
        (Some(_), None) => "the container has another of that name, which is not the template's",
        (None, Some(_)) => "it was deleted in the container and changed in the template",
    };
    match side {
        None => (FileChange::Conflict, Some(why)),
        Some(Side::Ours) => (FileChange::Kept, Some("the container's was taken")),
        Some(Side::Theirs) if seen.current.is_none() => (FileChange::Created, None),
        Some(Side::Theirs) => (put, None),
    }
}

/// Nothing when it is gone already.
fn removed(file: &TemplateFile, seen: &Seen) -> Option<Decided> {
    let now = seen.current.as_ref()?;
    if file.policy == FilePolicy::Default || seen.recorded.as_ref() != Some(now) {
        return Some((FileChange::Kept, Some("the template has it no more, and the container's is its own")));
    }
    Some((FileChange::Removed, None))
}

#[cfg(test)]
mod tests {
    use super::super::Settings;
    use super::*;

    fn template(files: &[(&str, FilePolicy, &str)]) -> Template {
        let file = |(name, policy, content): &(&str, FilePolicy, &str)| TemplateFile {
            name: (*name).to_owned(),
            directory: "/etc".to_owned(),
            policy: *policy,
            mode: None,
            owner: None,
            content: content.as_bytes().to_vec(),
        };
        Template {
            name: "web".into(),
            settings: Settings::default(),
            scripts: vec![],
            packages: vec![],
            files: files.iter().map(file).collect(),
            readme: String::new(),
        }
    }

    /// One file, whose digest is its content: what was written, what is there, and what is decided.
    fn decided(policy: FilePolicy, recorded: Option<&str>, current: Option<&str>, take: &Take) -> FileChange {
        let (old, new) = (template(&[("a", policy, "old")]), template(&[("a", policy, "new")]));
        let seen = Seen { recorded: recorded.map(str::to_owned), current: current.map(str::to_owned) };
        let seen = BTreeMap::from([("/etc/a".to_owned(), seen)]);
        let digest = |content: &[u8]| String::from_utf8_lossy(content).into_owned();
        let all = file_updates(&old, &new, &seen, take, digest);
        assert_eq!(all.len(), 1, "{all:?}");
        all[0].what
    }

    #[test]
    fn three_are_compared_and_nothing_of_the_containers_is_lost_unasked() {
        use FileChange as C;
        use FilePolicy as P;
        let (old, new, own) = (Some("old"), Some("new"), Some("own"));
        let none = Take::default();
        let theirs = Take { all: Some(Side::Theirs), ..Take::default() };
        let ours = Take { files: BTreeMap::from([("/etc/a".into(), Side::Ours)]), ..theirs.clone() };
        for (policy, recorded, current, take, wanted) in [
            (P::Replace, old, old, &none, C::Replaced),
            (P::Backup, old, old, &none, C::BackedUp),
            (P::Default, old, old, &none, C::Kept),
            (P::Replace, old, own, &none, C::Conflict),
            (P::Backup, old, own, &none, C::Conflict),
            (P::Default, old, own, &none, C::Kept),
            (P::Replace, None, own, &none, C::Conflict),
            (P::Replace, old, None, &none, C::Conflict),
            (P::Replace, None, None, &none, C::Created),
            (P::Replace, old, new, &none, C::Confirmed),
            (P::Replace, old, own, &theirs, C::Replaced),
            (P::Backup, old, own, &theirs, C::BackedUp),
            (P::Default, old, own, &theirs, C::BackedUp),
            (P::Replace, old, None, &theirs, C::Created),
            (P::Replace, old, own, &ours, C::Kept),
            (P::Replace, old, None, &ours, C::Kept),
        ] {
            let what = decided(policy, recorded, current, take);
            assert_eq!(what, wanted, "{policy:?} {recorded:?} {current:?} {take:?}");
        }
    }

    #[test]
    fn what_the_template_left_alone_is_left_alone_and_what_it_dropped_goes_when_nobody_changed_it() {
        let old = template(&[("same", FilePolicy::Replace, "1"), ("gone", FilePolicy::Replace, "2")]);
        let new = template(&[("same", FilePolicy::Replace, "1")]);
        let plan = |current: &str| {
            let both = |current: &str| Seen { recorded: Some("2".into()), current: Some(current.into()) };
            let seen = BTreeMap::from([("/etc/same".into(), both("own")), ("/etc/gone".into(), both(current))]);
            let digest = |content: &[u8]| String::from_utf8_lossy(content).into_owned();
            file_updates(&old, &new, &seen, &Take::default(), digest)
        };
        let told = |all: Vec<FileUpdate>| all.into_iter().map(|one| (one.path, one.what)).collect::<Vec<_>>();
        assert_eq!(told(plan("2")), [("/etc/gone".to_owned(), FileChange::Removed)]);
        assert_eq!(told(plan("own")), [("/etc/gone".to_owned(), FileChange::Kept)]);
    }
}
