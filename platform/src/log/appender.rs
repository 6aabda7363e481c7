//! The one task of this process that writes the log: takes whatever waits, and commits it in one transaction.
//!
//! It remembers where it left the head and the versions it saw. As long as nobody else appended, the next batch needs
//! no look-up: the head is moved only from where it was left, and that move is the lock. When the guess was wrong
//! (another process appended, a key was used before), the batch is done again under the lock with everything looked up.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use domain::{Position, Recorded, StreamId};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use super::{
    AppendError, Appended, Expected,
    append::{Prepared, PreparedStream},
    plan::{Head, Known, Plan, plan},
    tail, write,
};
use crate::{
    clock::Clock,
    db::{Db, DbError, Text, Tx, from_micros, micros, with_tx},
    views::{self, View, ViewError},
};

/// How many appends share a transaction at most.
const BATCH: usize = 256;
/// Streams remembered; all are forgotten when there are more.
const REMEMBERED: usize = 100_000;
/// How long a batch is tried while the database is away. Whoever waits for it is told then, and may ask again; one try
/// may last as long as the pool waits for a connection.
const PATIENCE: Duration = Duration::from_secs(10);

type Answer = Result<Appended, AppendError>;

pub(super) struct Request {
    pub append: Prepared,
    pub reply: oneshot::Sender<Answer>,
}

pub(super) struct Appender {
    pub db: Db,
    pub views: Arc<[Arc<dyn View>]>,
    pub clock: Clock,
    pub head: watch::Sender<Position>,
    pub memory: Option<Memory>,
}

/// Where this process left the log.
pub(super) struct Memory {
    head: Head,
    known: Known,
}

enum Failure {
    /// Nothing was committed.
    Before(ViewError),
    /// Nobody knows.
    Unknown(DbError),
}

impl From<ViewError> for Failure {
    fn from(error: ViewError) -> Self {
        Self::Before(error)
    }
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        Self::Before(error.into())
    }
}

impl Appender {
    pub(super) async fn run(mut self, mut requests: mpsc::Receiver<Request>, stop: CancellationToken) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                biased;
                // What waits already is still written; then `recv_many` says that there is no more.
                () = stop.cancelled(), if !requests.is_closed() => { requests.close(); continue }
                taken = requests.recv_many(&mut batch, BATCH) => if taken == 0 { return },
            }
            let (appends, replies): (Vec<_>, Vec<_>) = batch.drain(..).map(|r| (r.append, r.reply)).unzip();
            let appends: Vec<&Prepared> = appends.iter().collect();
            for (reply, answer) in replies.into_iter().zip(self.answer(&appends).await) {
                // Whoever asked may have gone; the events are in the log all the same.
                let _ = reply.send(answer);
            }
        }
    }

    async fn answer(&mut self, appends: &[&Prepared]) -> Vec<Answer> {
        if let Some(answers) = self.by_memory(appends).await {
            return answers;
        }
        match self.under_lock(appends).await {
            Ok(answers) => answers,
            Err(AppendError::Refused(_)) if appends.len() > 1 => {
                // One of them spoils the transaction: each gets its own.
                let mut answers = Vec::with_capacity(appends.len());
                for append in appends {
                    answers.push(match self.under_lock(&[*append]).await {
                        Ok(mut one) => one.pop().unwrap_or(Err(AppendError::Closed)),
                        Err(error) => Err(error),
                    });
                }
                answers
            }
            Err(error) => appends.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    /// The fast way; none when the batch has to be done under the lock.
    async fn by_memory(&mut self, appends: &[&Prepared]) -> Option<Vec<Answer>> {
        let mut memory = self.memory.take()?;
        // A new stream needs no look-up: the unique index refuses its first event if it exists.
        let sure = |part: &PreparedStream| {
            memory.known.versions.contains_key(&part.stream)
                || (part.expected == Expected::New && !part.events.is_empty())
        };
        if !appends.iter().flat_map(|a| &a.streams).all(sure) {
            return None;
        }
        let from = memory.head;
        let plan = plan(from, &mut memory.known, appends.iter().copied(), micros(self.clock.now()));
        // A refusal from memory may be a repetition of what is in the table of keys: look before saying no.
        if plan.outcomes.iter().any(Result::is_err) {
            return None;
        }
        match self.write(None, &from, &plan).await {
            Ok(true) => {
                let (outcomes, head) = (plan.outcomes, plan.head);
                self.committed(head, memory.known);
                Some(outcomes)
            }
            Ok(false) | Err(Failure::Before(_)) => None,
            Err(Failure::Unknown(error)) => {
                let error = AppendError::Unknown(Arc::new(error));
                Some(appends.iter().map(|_| Err(error.clone())).collect())
            }
        }
    }

    /// The sure way: lock, look up, write. An outage is waited for, as nothing is lost by trying again.
    async fn under_lock(&mut self, appends: &[&Prepared]) -> Result<Vec<Answer>, AppendError> {
        let (begun, mut pause) = (Instant::now(), Duration::from_millis(20));
        loop {
            match self.once_under_lock(appends).await {
                Ok(outcomes) => return Ok(outcomes),
                Err(Failure::Unknown(error)) => return Err(AppendError::Unknown(Arc::new(error))),
                Err(Failure::Before(ViewError::Db(error))) if error.is_outage() => {
                    if begun.elapsed() >= PATIENCE {
                        return Err(AppendError::Db(Arc::new(error)));
                    }
                    tracing::warn!(%error, "the log can't be written, trying again");
                }
                Err(Failure::Before(error)) => return Err(AppendError::Refused(Arc::new(error))),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(2));
        }
    }

    async fn once_under_lock(&mut self, appends: &[&Prepared]) -> Result<Vec<Answer>, Failure> {
        let mut tx = self.db.begin().await?;
        let from = write::lock_head(&mut tx).await?;
        let streams: HashSet<&StreamId> =
            appends.iter().flat_map(|a| a.streams.iter().map(|part| &part.stream)).collect();
        let keys: HashSet<&str> =
            appends.iter().filter_map(|a| a.idempotency.as_ref().map(|i| i.key.as_str())).collect();
        let mut known = write::known(&mut tx, &streams, &keys).await?;
        let plan = plan(from, &mut known, appends.iter().copied(), micros(self.clock.now()));
        self.write(Some(tx), &from, &plan).await?;
        let (outcomes, head) = (plan.outcomes, plan.head);
        self.committed(head, known);
        Ok(outcomes)
    }

    /// False when the head was elsewhere.
    async fn write(&self, tx: Option<Tx>, from: &Head, plan: &Plan<'_>) -> Result<bool, Failure> {
        let mut tx = match tx {
            Some(tx) => tx,
            None => self.db.begin().await?,
        };
        if !write::move_head(&mut tx, from, &plan.head).await? {
            return Ok(false);
        }
        write::insert(&mut tx, plan).await?;
        self.project(&mut tx, plan).await?;
        self.write_rows(&mut tx, plan).await?;
        match tx.commit().await {
            Ok(()) => Ok(true),
            Err(error) if plan.events.is_empty() => Err(Failure::Unknown(error)),
            Err(error) => match self.was_committed(&plan.head).await {
                Ok(true) => Ok(true),
                Ok(false) => Err(error.into()),
                Err(_) => Err(Failure::Unknown(error)),
            },
        }
    }

    async fn write_rows(&self, tx: &mut Tx, plan: &Plan<'_>) -> Result<(), ViewError> {
        let mut together: Vec<(Text, Vec<Value>)> = Vec::new();
        let mut looked = HashSet::new();
        for rows in plan.done.iter().flat_map(|(append, ..)| &append.rows) {
            match rows.row() {
                None if rows.looks_at().is_some_and(|what| !looked.insert(what)) => {}
                None => rows.write(tx).await?,
                Some((text, row)) => match together.iter_mut().find(|(known, _)| *known == text) {
                    Some((_, all)) => all.push(row),
                    None => together.push((text, vec![row])),
                },
            }
        }
        for (text, rows) in together {
            let (sql, rows) = (text.in_tx(tx), Value::from(rows).to_string());
            with_tx!(&mut *tx, conn => sqlx::query(sql).bind(rows).execute(conn).await.map(drop))?;
        }
        Ok(())
    }

    async fn project(&self, tx: &mut Tx, plan: &Plan<'_>) -> Result<(), ViewError> {
        let followed = |stream: &StreamId| self.views.iter().any(|view| view.follows(stream.category()));
        let events: Vec<Recorded> = plan
            .events
            .iter()
            .filter(|e| followed(e.stream))
            .map(|e| Recorded {
                position: Position(e.position),
                stream: e.stream.clone(),
                version: domain::Version(e.version),
                kind: e.event.event.kind.clone(),
                kind_version: e.event.event.kind_version,
                data: e.event.event.data.clone(),
                meta: e.append.meta.clone(),
                recorded_at: from_micros(plan.head.recorded_at),
                hash: hex::encode(e.hash),
            })
            .collect();
        for view in self.views.iter() {
            views::project(&**view, tx, &events).await?;
        }
        Ok(())
    }

    fn committed(&mut self, head: Head, mut known: Known) {
        // Keys stay in the table only: a repetition is found there, under the lock.
        known.keys.clear();
        if known.versions.len() > REMEMBERED {
            known.versions.clear();
        }
        self.memory = Some(Memory { head, known });
        tail::advance(&self.head, head.position);
    }

    /// After a commit that nobody confirmed. The lock waits for the transaction that may still be under way.
    async fn was_committed(&self, head: &Head) -> Result<bool, DbError> {
        let (begun, mut pause) = (Instant::now(), Duration::from_millis(20));
        loop {
            match self.look_for(head).await {
                Err(error) if error.is_outage() && begun.elapsed() < PATIENCE => {
                    tracing::warn!(%error, "the database went away in a commit, looking whether it was done");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(2));
                }
                other => return other,
            }
        }
    }

    async fn look_for(&self, head: &Head) -> Result<bool, DbError> {
        let mut tx = self.db.begin().await?;
        write::lock_head(&mut tx).await?;
        let found = write::hash_at(&mut tx, head.position).await?;
        tx.rollback().await?;
        // No other append can have come to the same hash.
        Ok(found.as_deref() == Some(&head.hash[..]))
    }
}
