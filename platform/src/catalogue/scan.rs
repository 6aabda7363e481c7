//! One look at the whole tree: what is as it was is not read again.

use std::collections::HashMap;
use std::io::Result;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Listed, read::read, stamp::Stamp, tree::directories};

/// What the last look found.
#[derive(Debug, Default)]
pub(super) struct Scan {
    known: HashMap<PathBuf, (Stamp, Arc<Listed>)>,
}

impl Scan {
    /// All templates by name, the broken ones among them.
    pub(super) fn look(&mut self, root: &Path, now_s: i64) -> Result<Vec<Arc<Listed>>> {
        let mut before = std::mem::take(&mut self.known);
        let mut all = Vec::new();
        for directory in directories(root)? {
            // Taken before the reading: what changes meanwhile is seen by the next look.
            let stamp = Stamp::of(&directory);
            let known = before.remove(&directory).filter(|(then, _)| *then == stamp && stamp.is_settled(now_s));
            let listed = match known {
                Some((_, listed)) => listed,
                None => Arc::new(Listed::from(&read(&directory, Some(root)))),
            };
            all.push(listed.clone());
            self.known.insert(directory, (stamp, listed));
        }
        Ok(all)
    }
}
