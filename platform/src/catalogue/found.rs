//! Templates by name as the tree has them now, and by version as they once were.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::container::TemplateVersion;
use domain::template::{Finding, Template};
use tokio::time::Instant;

use super::{Listed, ReadTemplate, read::read, scan::Scan, source::is_plain, tree::is_candidate, version_of, versions};
use crate::db::{Db, DbError};
use crate::log::Rows;

/// How old an answer from the tree may be: many creates of one template read its directory once.
const FRESH: Duration = Duration::from_secs(2);

/// Cheap to clone.
#[derive(Clone)]
pub struct Catalogue(Arc<Inner>);

struct Inner {
    root: PathBuf,
    db: Db,
    found: Mutex<HashMap<String, (Instant, Arc<Found>)>>,
    scan: Mutex<Scan>,
    looked: Mutex<Option<(Instant, Vec<Arc<Listed>>)>>,
    /// Versions that are known to be stored.
    stored: Mutex<HashSet<String>>,
}

/// One template of the tree, as it was a moment ago.
#[derive(Debug, Clone)]
pub struct Found {
    pub name: String,
    /// None when it is broken: the findings say why.
    pub template: Option<Arc<Template>>,
    pub version: Option<TemplateVersion>,
    pub findings: Vec<Finding>,
}

#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    #[error("the templates below {root} can't be read: {source}; see that the directory is there and may be read")]
    Tree { root: PathBuf, source: std::io::Error },
    #[error("version {hash} of a template is stored damaged: {source}; restore the database's backup")]
    Damaged { hash: String, source: serde_json::Error },
    #[error("reading the templates was cut short: {0}")]
    Cut(#[from] tokio::task::JoinError),
    #[error("the template {name} of an account is stored damaged; restore the database's backup, or make it anew")]
    OwnDamaged { name: String },
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Catalogue {
    /// The tree below `root`; versions are kept in the database.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>, db: Db) -> Self {
        Self(Arc::new(Inner {
            root: root.into(),
            db,
            found: Mutex::default(),
            scan: Mutex::default(),
            looked: Mutex::default(),
            stored: Mutex::default(),
        }))
    }

    pub(super) fn db(&self) -> &Db {
        &self.0.db
    }

    #[must_use]
    pub fn root(&self) -> &Path {
        &self.0.root
    }

    /// The template of this version, wherever the tree has got to since.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn version(&self, hash: &str) -> Result<Option<Template>, CatalogueError> {
        let Some(content) = versions::read(&self.0.db, hash).await? else { return Ok(None) };
        let damaged = |source| CatalogueError::Damaged { hash: hash.to_owned(), source };
        serde_json::from_str(&content).map(Some).map_err(damaged)
    }

    /// The template of this name; also a broken one.
    ///
    /// # Errors
    /// When reading it was cut short.
    pub async fn find(&self, name: &str) -> Result<Option<Arc<Found>>, CatalogueError> {
        if !is_plain(name) || name.starts_with('.') {
            return Ok(None);
        }
        if let Some((read_at, found)) = self.found().get(name)
            && read_at.elapsed() < FRESH
        {
            return Ok(Some(found.clone()));
        }
        let root = self.0.root.clone();
        let directory = root.join(name);
        let read = move || is_candidate(&directory).then(|| read(&directory, Some(&root)));
        let read = tokio::task::spawn_blocking(read).await?;
        let found = read.map(|read| Arc::new(Found::from(read)));
        self.agree(
            name,
            found.as_deref().and_then(|found| found.version.as_ref()).map(|version| version.hash.as_str()),
        );
        match &found {
            Some(found) => drop(self.found().insert(name.to_owned(), (Instant::now(), found.clone()))),
            None => drop(self.found().remove(name)),
        }
        Ok(found)
    }

    /// All templates, by name, the broken ones among them; as they were a moment ago.
    ///
    /// # Errors
    /// When the tree can't be read.
    pub async fn list(&self) -> Result<Vec<Arc<Listed>>, CatalogueError> {
        let last = self.looked().clone();
        match last {
            Some((looked_at, all)) if looked_at.elapsed() < FRESH => Ok(all),
            _ => self.scan().await,
        }
    }

    pub(super) async fn scan(&self) -> Result<Vec<Arc<Listed>>, CatalogueError> {
        let (inner, now) = (self.0.clone(), crate::clock::now().timestamp());
        let look = move || {
            let mut scan = inner.scan.lock().unwrap_or_else(PoisonError::into_inner);
            scan.look(&inner.root, now)
        };
        let all = tokio::task::spawn_blocking(look).await?;
        let all = all.map_err(|source| CatalogueError::Tree { root: self.0.root.clone(), source })?;
        *self.looked() = Some((Instant::now(), all.clone()));
        let newest = |name: &str| all.iter().find(|listed| listed.name == name).and_then(|listed| listed.version());
        self.found().retain(|name, (_, found)| found.version.as_ref().map(|it| it.hash.as_str()) == newest(name));
        Ok(all)
    }

    /// What was seen of all together may not be older than what was seen of one: who makes a container of a new version
    /// and then asks which are behind is not told of that one.
    fn agree(&self, name: &str, version: Option<&str>) {
        let mut looked = self.looked();
        let same = |all: &Vec<Arc<Listed>>| {
            all.iter().find(|listed| listed.name == name).and_then(|listed| listed.version()) == version
        };
        if looked.as_ref().is_some_and(|(_, all)| !same(all)) {
            *looked = None;
        }
    }

    /// What stores the version, to be written in the append that names it; nothing when it is stored already.
    #[must_use]
    pub fn keep(&self, found: &Found) -> Option<Arc<dyn Rows>> {
        let (template, version) = (found.template.as_ref()?, found.version.as_ref()?);
        let known = self.stored().contains(&version.hash);
        (!known).then(|| Arc::new(versions::of(template, &version.hash)) as Arc<dyn Rows>)
    }

    /// After that append.
    pub fn kept(&self, found: &Found) {
        if let Some(version) = &found.version {
            self.stored().insert(version.hash.clone());
        }
    }

    fn found(&self) -> MutexGuard<'_, HashMap<String, (Instant, Arc<Found>)>> {
        self.0.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn looked(&self) -> MutexGuard<'_, Option<(Instant, Vec<Arc<Listed>>)>> {
        self.0.looked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stored(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Found {
    #[must_use]
    pub fn listed(&self) -> Listed {
        let version = self.version.as_ref().map(|version| version.hash.as_str());
        Listed::of(&self.name, self.template.as_deref(), version, &self.findings)
    }
}

impl From<ReadTemplate> for Found {
    fn from(read: ReadTemplate) -> Self {
        let version = read.template.as_ref().map(|t| TemplateVersion { name: read.name.clone(), hash: version_of(t) });
        Self { name: read.name, version, template: read.template.map(Arc::new), findings: read.findings }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::{self, Clock},
        db::Options,
        log::{Append, Log},
    };
    use domain::Meta;

    #[tokio::test]
    async fn a_version_outlives_its_directory() {
        let directory = tempfile::tempdir().unwrap();
        let (web, bad) = (directory.path().join("tree/web"), directory.path().join("tree/bad"));
        std::fs::create_dir_all(&web).unwrap();
        std::fs::create_dir_all(&bad).unwrap();
        std::fs::write(web.join("template.conf"), "TEMPLATE_APP=Web\n").unwrap();
        let url = format!("sqlite:{}", directory.path().join("gantry.db").display());
        let db = Db::connect(&url, &Options::default()).await.unwrap();
        db.migrate(clock::now()).await.unwrap();
        let log = Log::open(db.clone(), Vec::new(), Clock::system()).await.unwrap();
        let catalogue = Catalogue::new(directory.path().join("tree"), db);

        let found = catalogue.find("web").await.unwrap().unwrap();
        let hash = found.version.clone().unwrap().hash;
        assert!(catalogue.version(&hash).await.unwrap().is_none());
        log.append(Append::new(Meta::system("test")).with(catalogue.keep(&found).unwrap())).await.unwrap();
        catalogue.kept(&found);
        assert!(catalogue.keep(&found).is_none());
        std::fs::remove_dir_all(&web).unwrap();
        assert_eq!(catalogue.version(&hash).await.unwrap().as_ref(), found.template.as_deref());

        let list = catalogue.list().await.unwrap();
        assert!(list.len() == 1 && list[0].usable.is_none() && !list[0].findings.is_empty());
        for name in ["missing", "..", "a/b", ""] {
            assert!(catalogue.find(name).await.unwrap().is_none(), "{name}");
        }
    }
}
