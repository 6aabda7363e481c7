//! The directory of all templates.

use std::io::Result;
use std::path::{Path, PathBuf};

use super::read::{ReadTemplate, read};

/// Every template below `root`, by name. A broken one is listed with its reasons and hides no other.
///
/// # Errors
/// When `root` itself can't be read.
pub fn read_tree(root: &Path) -> Result<Vec<ReadTemplate>> {
    Ok(directories(root)?.iter().map(|directory| read(directory, Some(root))).collect())
}

/// What may be a template: directories, and links to one or to nothing.
pub(super) fn directories(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root)? {
        let path = entry?.path();
        if is_candidate(&path) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

pub(super) fn is_candidate(path: &Path) -> bool {
    let hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
    !hidden && (path.is_dir() || (path.is_symlink() && !path.exists()))
}
