//! The templates that authors keep in a directory tree, and the versions of them that containers got.

mod archive;
mod buckets;
mod found;
#[cfg(test)]
mod fuzz;
mod listed;
pub(crate) mod own;
mod read;
mod refresh;
mod scan;
mod source;
mod stamp;
mod tree;
pub(crate) mod versions;

pub use archive::{ArchiveError, pack, unpack};
pub use buckets::Bucket;
pub use found::{Catalogue, CatalogueError, Found};
pub use listed::{Listed, Usable};
pub use own::{own_removed, own_rows};
pub use read::{ReadTemplate, read_files, read_template, template_files};
pub use refresh::{RefreshError, Refreshed};
pub use source::Files;
pub use tree::read_tree;

use domain::template::Template;
use sha2::{Digest, Sha256};

/// A template's version is the hash of all that it says: who has the same hash has the same template.
#[must_use]
pub fn version_of(template: &Template) -> String {
    // A template is plain data; writing it as JSON can't fail.
    let content = serde_json::to_vec(template).unwrap_or_default();
    hex::encode(Sha256::digest(&content))
}
