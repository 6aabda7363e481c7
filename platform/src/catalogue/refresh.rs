//! What changed in the tree, told in the log once, however many processes look.

use std::time::Duration;

use domain::catalogue::{Catalogue as Known, CatalogueEvent, Seen, Tree};
use domain::{Aggregate as _, Meta};
use tokio_util::sync::CancellationToken;

use super::{Catalogue, CatalogueError};
use crate::log::{Append, AppendError, Log, LogError};

/// How often a process looks by itself. Nothing is read that did not change.
const EVERY: Duration = Duration::from_secs(5);
/// How often it is decided again after another process was faster.
const DECISIONS: usize = 8;

/// What a look at the tree found.
#[derive(Debug)]
pub struct Refreshed {
    pub templates: usize,
    /// What was not known before.
    pub changes: Vec<CatalogueEvent>,
}

#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Append(#[from] AppendError),
    #[error("what the templates say can't be written: {0}")]
    Unwritable(#[from] serde_json::Error),
}

impl Catalogue {
    /// Looks at the tree now, and tells the log what is other than the log knows.
    ///
    /// # Errors
    /// When the tree can't be read, or the log not written.
    pub async fn refresh(&self, log: &Log, meta: Meta) -> Result<Refreshed, RefreshError> {
        let seen = self.look().await?;
        let templates = seen.len();
        Ok(Refreshed { templates, changes: tell(log, seen, meta).await? })
    }

    /// Looks now and then, until told to end. A process speaks up only when its own tree changed: two that see
    /// different trees don't contradict each other for ever.
    pub async fn watch_on(&self, log: &Log, stop: &CancellationToken) {
        let (mut told, mut failed) = (None, false);
        loop {
            match self.watched(log, &mut told).await {
                Ok(changes) => {
                    failed = false;
                    for change in changes {
                        tracing::info!(template = change.template(), ?change, "the templates changed");
                    }
                }
                Err(error) if !failed => {
                    tracing::warn!(%error, "the templates could not be looked at, it is tried again");
                    failed = true;
                }
                Err(_) => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    async fn watched(&self, log: &Log, told: &mut Option<Seen>) -> Result<Vec<CatalogueEvent>, RefreshError> {
        let seen = self.look().await?;
        if told.as_ref() == Some(&seen) {
            return Ok(Vec::new());
        }
        let changes = tell(log, seen.clone(), Meta::system("catalogue")).await?;
        *told = Some(seen);
        Ok(changes)
    }

    async fn look(&self) -> Result<Seen, CatalogueError> {
        Ok(self.scan().await?.iter().map(|listed| (listed.name.clone(), listed.standing())).collect())
    }
}

async fn tell(log: &Log, seen: Seen, meta: Meta) -> Result<Vec<CatalogueEvent>, RefreshError> {
    let mut decided = 1;
    loop {
        let loaded = log.load::<Known>(Tree).await?;
        let Ok(changes) = loaded.state.decide(seen.clone(), &());
        if changes.is_empty() {
            return Ok(changes);
        }
        let events = changes.iter().map(domain::Event::encode).collect::<Result<_, _>>()?;
        let append = Append::new(meta.clone()).stream(Known::stream(Tree), loaded.expected(), events);
        match log.append(append).await {
            Ok(_) => return Ok(changes),
            Err(error) if error.is_conflict() && decided < DECISIONS => decided += 1,
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use domain::Event as _;
    use tempfile::TempDir;

    use super::*;
    use crate::clock::{self, Clock};
    use crate::db::{Db, Options};

    async fn opened(directory: &TempDir) -> (Log, Catalogue) {
        let url = format!("sqlite:{}", directory.path().join("gantry.db").display());
        let db = Db::connect(&url, &Options::default()).await.unwrap();
        db.migrate(clock::now()).await.unwrap();
        let log = Log::open(db.clone(), Vec::new(), Clock::system()).await.unwrap();
        (log, Catalogue::new(directory.path().join("tree"), db))
    }

    fn write(directory: &TempDir, name: &str, conf: &str) {
        let template = directory.path().join("tree").join(name);
        fs::create_dir_all(&template).unwrap();
        fs::write(template.join("template.conf"), conf).unwrap();
    }

    #[tokio::test]
    async fn each_change_of_the_tree_is_told_once_by_whoever_looks_first() {
        let directory = tempfile::tempdir().unwrap();
        write(&directory, "web", "TEMPLATE_APP=Web\n");
        write(&directory, "odd", "TEMPLATE_APP=$(id)\n");
        let (log, here) = opened(&directory).await;
        let there = Catalogue::new(directory.path().join("tree"), log.db().clone());
        let kinds = |refreshed: Refreshed| {
            let encoded = |event: &CatalogueEvent| (event.encode().unwrap().kind, event.template().to_owned());
            refreshed.changes.iter().map(encoded).collect::<Vec<_>>()
        };
        let told = |kind: &str, name: &str| (format!("template.{kind}"), name.to_owned());
        let look = async |catalogue: &Catalogue| kinds(catalogue.refresh(&log, Meta::system("test")).await.unwrap());
        let (one, two) = tokio::join!(look(&here), look(&there));
        assert_eq!([one, two].concat(), [told("broken", "odd"), told("added", "web")], "once, of two at the same time");
        assert_eq!(look(&there).await, []);

        write(&directory, "web", "TEMPLATE_APP=Wob\n");
        write(&directory, "odd", "TEMPLATE_APP=Odd\n");
        assert_eq!(look(&here).await, [told("changed", "odd"), told("changed", "web")]);
        fs::remove_dir_all(directory.path().join("tree/odd")).unwrap();
        assert_eq!(look(&there).await, [told("removed", "odd")]);
        let (_, after_a_start) = opened(&directory).await;
        assert_eq!(look(&after_a_start).await, [], "a start is no change");
        assert_eq!(log.load::<Known>(Tree).await.unwrap().version.0, 5);
    }

    #[tokio::test]
    async fn the_watch_sees_a_change_by_itself() {
        let directory = tempfile::tempdir().unwrap();
        write(&directory, "web", "TEMPLATE_APP=Web\n");
        let (log, catalogue) = opened(&directory).await;
        let mut head = log.head();
        let stop = CancellationToken::new();
        let watch = {
            let (log, catalogue, stop) = (log.clone(), catalogue.clone(), stop.clone());
            tokio::spawn(async move { catalogue.watch_on(&log, &stop).await })
        };
        head.wait_for(|head| head.0 == 1).await.unwrap();
        write(&directory, "db", "TEMPLATE_APP=Db\n");
        head.wait_for(|head| head.0 == 2).await.unwrap();
        stop.cancel();
        watch.await.unwrap();
        let known = log.load::<Known>(Tree).await.unwrap();
        assert_eq!(known.version.0, 2);
    }

    #[tokio::test]
    async fn among_a_thousand_one_is_broken_and_hides_none() {
        let directory = tempfile::tempdir().unwrap();
        for n in 0..1000 {
            let conf = if n == 500 { "TEMPLATE_APP=\"open\n" } else { "TEMPLATE_APP=One\n" };
            write(&directory, &format!("t{n:04}"), conf);
        }
        let (log, catalogue) = opened(&directory).await;
        let refreshed = catalogue.refresh(&log, Meta::system("test")).await.unwrap();
        assert_eq!((refreshed.templates, refreshed.changes.len()), (1000, 1000));
        let list = catalogue.list().await.unwrap();
        let broken: Vec<_> = list.iter().filter(|listed| listed.usable.is_none()).collect();
        assert!(list.len() == 1000 && broken.len() == 1 && broken[0].name == "t0500");
        assert!(broken[0].findings[0].to_string().starts_with("template.conf:1:"), "{:?}", broken[0].findings);
    }
}
