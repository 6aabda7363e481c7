//! Whether this process lives, and whether it can be given work; with reasons.

use std::{fmt::Display, sync::Arc, time::Duration};

use futures_util::future::{BoxFuture, join_all};
use serde::Serialize;
use tokio::time::{Instant, timeout};

use crate::db::Db;

type Ask = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Only a new start would mend it.
    Life,
    /// Work has to wait until it is well again.
    Readiness,
}

#[derive(Clone)]
struct Check {
    name: &'static str,
    kind: Kind,
    within: Duration,
    ask: Ask,
}

/// The named checks of a process. Cheap to clone.
#[derive(Clone, Default)]
pub struct Health(Arc<Vec<Check>>);

/// What came of the checks, all of them asked at once.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    pub well: bool,
    pub checks: Vec<Answer>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    pub name: &'static str,
    pub well: bool,
    pub took_ms: u64,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Health {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Something without which this process can't work, though it may come back: the database, Redis.
    #[must_use]
    pub fn ready<E: Display, F>(
        self,
        name: &'static str,
        within: Duration,
        ask: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
    {
        self.with(name, Kind::Readiness, within, ask)
    }

    /// Something that only a new start of the process mends, like a task of its own that has ended.
    #[must_use]
    pub fn live<E: Display, F>(
        self,
        name: &'static str,
        within: Duration,
        ask: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
    {
        self.with(name, Kind::Life, within, ask)
    }

    /// The database answers.
    #[must_use]
    pub fn database(self, db: Db) -> Self {
        self.ready("database", Duration::from_secs(2), move || {
            let db = db.clone();
            async move { db.ping().await }
        })
    }

    fn with<E: Display, F>(
        mut self,
        name: &'static str,
        kind: Kind,
        within: Duration,
        ask: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
    {
        let ask: Ask = Arc::new(move || {
            let answer = ask();
            Box::pin(async move { answer.await.map_err(|error| error.to_string()) })
        });
        Arc::make_mut(&mut self.0).push(Check { name, kind, within, ask });
        self
    }

    /// For `/livez`.
    pub async fn liveness(&self) -> Report {
        self.report(|kind| kind == Kind::Life).await
    }

    /// For `/readyz`: all of it.
    pub async fn readiness(&self) -> Report {
        self.report(|_| true).await
    }

    async fn report(&self, asked: impl Fn(Kind) -> bool) -> Report {
        let checks = join_all(self.0.iter().filter(|check| asked(check.kind)).map(Check::answer)).await;
        Report { well: checks.iter().all(|check| check.well), checks }
    }
}

impl Check {
    async fn answer(&self) -> Answer {
        let begun = Instant::now();
        let outcome = timeout(self.within, (self.ask)()).await;
        let reason = match outcome {
            Ok(Ok(())) => None,
            Ok(Err(reason)) => Some(reason),
            Err(_) => Some(format!("no answer within {:?}", self.within)),
        };
        let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        Answer { name: self.name, well: reason.is_none(), took_ms, reason }
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, future::pending};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn what_fails_or_does_not_answer_is_named_with_its_reason() {
        let health = Health::new()
            .live("appender", SECOND, || async { Ok::<_, Infallible>(()) })
            .ready("redis", SECOND, || async { Err("refused") })
            .ready("database", SECOND, pending::<Result<(), Infallible>>);
        assert!(health.liveness().await.well);
        let begun = Instant::now();
        let report = health.readiness().await;
        assert!(!report.well);
        let reasons: Vec<_> = report.checks.iter().map(|check| (check.name, check.reason.as_deref())).collect();
        assert_eq!(
            reasons,
            [("appender", None), ("redis", Some("refused")), ("database", Some("no answer within 1s"))]
        );
        assert!(begun.elapsed() < 2 * SECOND, "all at once");
    }

    #[tokio::test]
    async fn a_database_that_is_closed_is_not_ready() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", directory.path().join("gantry.db").display());
        let db = Db::connect(&url, &crate::db::Options::default()).await.unwrap();
        let health = Health::new().database(db.clone());
        assert!(health.readiness().await.well);
        db.close().await;
        let report = health.readiness().await;
        assert!(!report.well && report.checks[0].reason.is_some(), "{report:?}");
    }
}
