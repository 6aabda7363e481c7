//! The lists of packages that templates share, by their names.

use std::collections::BTreeMap;
use std::path::Path;

use domain::template::{Finding, PackageList, parse_packages};

use super::source::{BUCKETS, Source};
use super::{Catalogue, CatalogueError};

/// One name for what templates want to be installed with every system's package manager.
#[derive(Debug, Clone, Default)]
pub struct Bucket {
    pub name: String,
    pub lists: Vec<PackageList>,
    /// What is wrong with its files; a template that takes such a list is broken.
    pub findings: Vec<Finding>,
}

impl Catalogue {
    /// All that lie beside the tree.
    ///
    /// # Errors
    /// When reading them was cut short.
    pub async fn buckets(&self) -> Result<Vec<Bucket>, CatalogueError> {
        let root = self.root().to_owned();
        Ok(tokio::task::spawn_blocking(move || beside(&root)).await?)
    }
}

fn beside(tree: &Path) -> Vec<Bucket> {
    let Some(source) = Source::shared(tree) else { return Vec::new() };
    let mut buckets: BTreeMap<String, Bucket> = BTreeMap::new();
    let files = match source.names("") {
        Ok(files) => files,
        // Nobody can take any of them then, and which there are can't be said.
        Err(finding) => {
            let findings = vec![finding.in_file(BUCKETS)];
            return vec![Bucket { name: BUCKETS.to_owned(), findings, ..Bucket::default() }];
        }
    };
    for file in files {
        // What has no ending is a note to its authors.
        let Some((name, _)) = file.rsplit_once('.') else { continue };
        let bucket = buckets.entry(name.to_owned()).or_default();
        bucket.name = name.to_owned();
        match source
            .text(&file)
            .map_err(|finding| vec![finding])
            .and_then(|text| parse_packages(&file, &text.unwrap_or_default()))
        {
            Ok(list) => bucket.lists.push(list),
            Err(findings) => {
                bucket.findings.extend(findings.into_iter().map(|one| one.in_file(&format!("{BUCKETS}/{file}"))))
            }
        }
    }
    buckets.into_values().collect()
}
