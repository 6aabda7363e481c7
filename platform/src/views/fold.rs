//! What streams fold to, remembered from one append to the next: a projection reads the events that are new and not the
//! whole stream, however long it has become.
//!
//! The memory is a hint. What it holds may come from a transaction that was rolled back, or be older than what another
//! process has appended since; so the event that it ends with is read again, and its hash says whether the memory is of
//! this log. If not, the stream is read from its beginning.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use domain::{Aggregate, Position, Recorded, StreamId};
use metrics::counter;
use serde_json::{Map, Value};

use super::{Life, Stamped, ViewError};
use crate::{
    db::{Tx, statements, with_tx},
    log,
};

statements! {
    one {}
    two {
        // Stream by stream, by the index: a plain join reads the whole log as long as that looks small.
        SINCE =
            "SELECT found.* FROM json_each_text(CAST($1 AS JSON)) AS asked(name, since) CROSS JOIN LATERAL (
                SELECT position, stream, version, kind, kind_version, data, meta, recorded_at, hash FROM log
                WHERE stream = asked.name AND version >= CAST(asked.since AS BIGINT) AND position < $2 OFFSET 0
             ) AS found ORDER BY stream, version",
            "SELECT position, stream, version, kind, kind_version, data, meta, recorded_at, hash
             FROM json_each($1) AS asked JOIN log ON log.stream = asked.key AND log.version >= asked.value
             WHERE position < $2 ORDER BY stream, version";
    }
}

/// Streams remembered per view; all are forgotten when there are more.
const REMEMBERED: usize = 2_000;

/// What a stream has led to.
#[derive(Debug)]
pub(super) struct Fold<A: Aggregate> {
    view: &'static str,
    pub life: Life,
    pub state: A,
    /// Of the last event.
    pub position: Position,
    hash: String,
    /// The last event of each kind, in order, and their kinds.
    last: Vec<Stamped<A::Event>>,
    kinds: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Folds<A: Aggregate> {
    view: &'static str,
    known: Mutex<HashMap<StreamId, Fold<A>>>,
}

impl<A: Aggregate> Fold<A> {
    pub(super) fn history(&self) -> &[Stamped<A::Event>] {
        &self.last
    }

    pub(super) fn take(mut self, recorded: &Recorded) -> Result<Self, ViewError> {
        let position = recorded.position;
        let unread = |source| ViewError::Event { view: self.view, position, source };
        let event: A::Event = recorded.event().map_err(unread)?;
        self.state = self.state.evolve(&event);
        if let Some(before) = self.kinds.iter().position(|kind| *kind == recorded.kind) {
            self.kinds.remove(before);
            self.last.remove(before);
        }
        self.kinds.push(recorded.kind.clone());
        self.last.push(Stamped { event, version: recorded.version, at: recorded.recorded_at });
        self.life.version = recorded.version;
        self.life.updated_at = recorded.recorded_at;
        self.position = position;
        self.hash.clone_from(&recorded.hash);
        Ok(self)
    }
}

impl<A: Aggregate> Folds<A> {
    pub(super) fn new(view: &'static str) -> Self {
        Self { view, known: Mutex::default() }
    }

    /// What the streams of these events have led to with the last of them.
    pub(super) async fn after(&self, tx: &mut Tx, events: &[&Recorded]) -> Result<Vec<Fold<A>>, ViewError> {
        let before = self.before(tx, events).await?;
        before.into_iter().map(|(fold, news)| news.into_iter().try_fold(fold, Fold::take)).collect()
    }

    /// What the streams of these events had led to before them, each with its own of them.
    pub(super) async fn before<'a>(
        &self,
        tx: &mut Tx,
        events: &[&'a Recorded],
    ) -> Result<Vec<(Fold<A>, Vec<&'a Recorded>)>, ViewError> {
        let until = events.first().map_or(0, |event| event.position.0);
        let mut news: BTreeMap<&StreamId, Vec<&Recorded>> = BTreeMap::new();
        for event in events {
            news.entry(&event.stream).or_default().push(event);
        }
        let mut known = self.recall(&news);
        let mut asked = Map::new();
        for (stream, _) in news.iter().filter(|(_, events)| !begins(events)) {
            let since = known.get(*stream).map_or(0, |fold| fold.life.version.0);
            asked.insert(stream.as_str().to_owned(), since.into());
        }
        let (mut folds, mut anew) = (HashMap::with_capacity(news.len()), Map::new());
        for events in read(tx, asked, until).await?.chunk_by(|a, b| a.stream == b.stream) {
            let Some((first, rest)) = events.split_first() else { continue };
            let fold = match known.remove(&first.stream) {
                None => events.iter().try_fold(self.begin(first), Fold::take)?,
                Some(fold) if fold.hash == first.hash => rest.iter().try_fold(fold, Fold::take)?,
                Some(_) => {
                    anew.insert(first.stream.as_str().to_owned(), 0.into());
                    continue;
                }
            };
            folds.insert(first.stream.clone(), fold);
        }
        for events in read(tx, anew, until).await?.chunk_by(|a, b| a.stream == b.stream) {
            let Some(first) = events.first() else { continue };
            folds.insert(first.stream.clone(), events.iter().try_fold(self.begin(first), Fold::take)?);
        }
        let fold = |(stream, events): (&StreamId, Vec<&'a Recorded>)| match (folds.remove(stream), &*events) {
            (Some(fold), _) => Ok((fold, events)),
            (None, [first, ..]) if begins(&events) => Ok((self.begin(first), events)),
            (None, _) => Err(ViewError::Refused(format!("the log has no beginning of {stream}"))),
        };
        news.into_iter().map(fold).collect()
    }

    pub(super) fn keep(&self, folds: Vec<Fold<A>>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() + folds.len() > REMEMBERED {
            known.clear();
        }
        known.extend(folds.into_iter().take(REMEMBERED).map(|fold| (fold.life.stream.clone(), fold)));
    }

    /// Takes what is remembered of these streams from before these events.
    fn recall(&self, news: &BTreeMap<&StreamId, Vec<&Recorded>>) -> HashMap<StreamId, Fold<A>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let older = |fold: &Fold<A>, events: &[&Recorded]| {
            events.first().is_some_and(|first| fold.life.version < first.version)
        };
        news.iter()
            .filter_map(|(stream, events)| known.remove_entry(*stream).filter(|(_, fold)| older(fold, events)))
            .collect()
    }

    /// Nothing yet, of the stream that begins with this event.
    fn begin(&self, first: &Recorded) -> Fold<A> {
        let life = Life {
            stream: first.stream.clone(),
            version: first.version,
            created_at: first.recorded_at,
            updated_at: first.recorded_at,
        };
        let (view, position, hash) = (self.view, first.position, String::new());
        Fold { view, life, state: A::default(), position, hash, last: Vec::new(), kinds: Vec::new() }
    }
}

fn begins(events: &[&Recorded]) -> bool {
    events.first().is_some_and(|first| first.version.0 == 1)
}

/// The events of streams from a version on and before a position, stream by stream.
async fn read(tx: &mut Tx, asked: Map<String, Value>, until: i64) -> Result<Vec<Recorded>, ViewError> {
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let (sql, asked) = (SINCE.in_tx(tx), Value::Object(asked).to_string());
    let rows: Vec<log::StoredRow> =
        with_tx!(tx, conn => sqlx::query_as(sql).bind(asked).bind(until).fetch_all(conn).await)?;
    counter!("gantry_views_events_read_total").increment(rows.len() as u64);
    rows.into_iter().map(|row| log::recorded(row).map_err(|e| ViewError::Refused(e.to_string()))).collect()
}
