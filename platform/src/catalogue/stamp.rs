//! Whether a template's files are as they were, without reading them.

use std::fs::{self, Metadata};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::source::{BUCKETS, DIRECTORIES};

/// A file may change twice within what its file system counts as one moment.
const MOMENT_S: i64 = 2;
/// The reader reads no more of a directory.
const ENTRIES: usize = 600;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    hash: u64,
    /// When the last change was, in seconds.
    newest: i64,
}

impl Stamp {
    pub(super) fn of(template: &Path) -> Self {
        let mut stamp = Self { hash: 0, newest: 0 };
        let mut hasher = DefaultHasher::new();
        let mut paths = vec![template.to_owned()];
        paths.extend(
            ["template.conf", "container.sh", "README.md", "container-configs"].map(|name| template.join(name)),
        );
        let shared = template.parent().and_then(Path::parent).map(|above| above.join(BUCKETS));
        for directory in DIRECTORIES.map(|directory| template.join(directory)).into_iter().chain(shared) {
            let names = fs::read_dir(&directory).into_iter().flatten().flatten().take(ENTRIES);
            let mut names: Vec<_> = names.map(|entry| entry.path()).collect();
            names.sort();
            paths.push(directory);
            paths.extend(names);
        }
        for path in paths {
            path.hash(&mut hasher);
            match fs::metadata(&path) {
                Ok(found) => stamp.note(&found, &mut hasher),
                Err(e) => e.kind().hash(&mut hasher),
            }
        }
        stamp.hash = hasher.finish();
        stamp
    }

    fn note(&mut self, found: &Metadata, hasher: &mut DefaultHasher) {
        let changed = (found.mtime(), found.mtime_nsec(), found.ctime(), found.ctime_nsec());
        (found.len(), found.ino(), found.dev(), found.mode(), changed).hash(hasher);
        self.newest = self.newest.max(found.ctime());
    }

    /// Whether what changes from now on will show.
    pub(super) fn is_settled(self, now_s: i64) -> bool {
        self.newest + MOMENT_S < now_s
    }
}
