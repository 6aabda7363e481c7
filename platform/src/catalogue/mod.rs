//! The templates that authors keep in a directory tree, and the versions of them that containers got.

mod found;
#[cfg(test)]
mod fuzz;
mod read;
mod source;
mod tree;
pub(crate) mod versions;

pub use found::{Catalogue, CatalogueError, Found};
pub use read::{ReadTemplate, read_template};
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
