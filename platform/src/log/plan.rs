//! Which appends of a batch fit, and where their events go. Pure: what the database knows is handed in.

use std::collections::HashMap;

use domain::{Position, StreamId, Version};
use serde_json::Value;

use crate::db::from_micros;

use super::{
    AppendError, Appended, Expected,
    append::{Prepared, PreparedEvent},
    hash::{self, Hash},
};

/// The end of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub position: i64,
    pub hash: Hash,
    pub recorded_at: i64,
}

/// An idempotency key that has been used.
#[derive(Debug, Clone)]
pub(super) struct UsedKey {
    pub fingerprint: String,
    pub answer: Value,
    pub first: i64,
    pub last: i64,
}

/// What is known at the head. A stream that is absent from `versions` does not exist.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub versions: HashMap<StreamId, i64>,
    pub keys: HashMap<String, UsedKey>,
}

/// An event with its place.
pub(super) struct Placed<'a> {
    pub append: &'a Prepared,
    pub stream: &'a StreamId,
    pub event: &'a PreparedEvent,
    pub position: i64,
    pub version: i64,
    pub hash: Hash,
}

pub(super) struct Plan<'a> {
    pub outcomes: Vec<Result<Appended, AppendError>>,
    pub events: Vec<Placed<'a>>,
    /// The appends that are really done, with the positions of their first and last event.
    pub done: Vec<(&'a Prepared, i64, i64)>,
    pub head: Head,
}

/// Takes the appends in order; one that does not fit leaves no trace on those after it. `known` is brought up to date.
pub(super) fn plan<'a>(
    head: Head,
    known: &mut Known,
    batch: impl IntoIterator<Item = &'a Prepared>,
    now: i64,
) -> Plan<'a> {
    // Never backwards, so that "as of a time" is one position.
    let recorded_at = now.max(head.recorded_at);
    let mut plan = Plan { outcomes: Vec::new(), events: Vec::new(), done: Vec::new(), head };
    for append in batch {
        let outcome = match used(append, known, recorded_at) {
            Some(outcome) => outcome,
            None => fits(append, known).map(|()| place(append, known, &mut plan, recorded_at)),
        };
        plan.outcomes.push(outcome);
    }
    plan
}

fn used(append: &Prepared, known: &Known, recorded_at: i64) -> Option<Result<Appended, AppendError>> {
    let asked = append.idempotency.as_ref()?;
    let used = known.keys.get(&asked.key)?;
    Some(if used.fingerprint == asked.fingerprint {
        let (first, last) = (Position(used.first), Position(used.last));
        let at = from_micros(recorded_at);
        Ok(Appended { first, last, at, versions: Vec::new(), repeated: Some(used.answer.clone()) })
    } else {
        Err(AppendError::KeyReused { key: asked.key.clone() })
    })
}

fn fits(append: &Prepared, known: &Known) -> Result<(), AppendError> {
    // A stream may be named twice in one append; the second time it stands where the first left it.
    let mut ahead: HashMap<&StreamId, i64> = HashMap::new();
    for part in &append.streams {
        let at = ahead.entry(&part.stream).or_insert_with(|| known.versions.get(&part.stream).copied().unwrap_or(0));
        let agrees = match part.expected {
            Expected::New => *at == 0,
            Expected::Version(version) => *at == version.0,
            Expected::Any => true,
        };
        if !agrees {
            return Err(AppendError::Conflict {
                stream: part.stream.clone(),
                expected: part.expected,
                actual: Version(*at),
            });
        }
        *at += part.events.len() as i64;
    }
    Ok(())
}

fn place<'a>(append: &'a Prepared, known: &mut Known, plan: &mut Plan<'a>, recorded_at: i64) -> Appended {
    let first = plan.head.position + 1;
    let mut versions = Vec::with_capacity(append.streams.len());
    for part in &append.streams {
        let mut version = known.versions.get(&part.stream).copied().unwrap_or(0);
        for event in &part.events {
            version += 1;
            let position = plan.head.position + 1;
            let hash = hash::link(&plan.head.hash, position, version, recorded_at, &event.body);
            plan.events.push(Placed { append, stream: &part.stream, event, position, version, hash });
            plan.head = Head { position, hash, recorded_at };
        }
        known.versions.insert(part.stream.clone(), version);
        versions.push(Version(version));
    }
    let last = plan.head.position;
    if let Some(asked) = &append.idempotency {
        let used = UsedKey { fingerprint: asked.fingerprint.clone(), answer: asked.answer.clone(), first, last };
        known.keys.insert(asked.key.clone(), used);
    }
    plan.done.push((append, first, last));
    let at = from_micros(recorded_at);
    Appended { first: Position(first), last: Position(last), at, versions, repeated: None }
}

#[cfg(test)]
mod tests {
    use domain::{Meta, NewEvent};
    use serde_json::json;

    use super::*;
    use crate::log::{Append, Idempotency};

    const START: Head = Head { position: 0, hash: hash::GENESIS, recorded_at: 50 };

    fn append(parts: &[(&str, Expected, usize)], key: Option<(&str, &str)>) -> Prepared {
        let event = NewEvent { kind: "a.b".into(), kind_version: 1, data: json!({}) };
        let mut append = Append::new(Meta::system("test")).once(key.map(|(key, print)| Idempotency {
            key: key.into(),
            fingerprint: print.into(),
            answer: json!("first"),
        }));
        for (stream, expected, events) in parts {
            append = append.stream(StreamId::new("a", stream), *expected, vec![event.clone(); *events]);
        }
        Prepared::new(append).unwrap()
    }

    #[test]
    fn a_conflict_leaves_its_neighbours_alone() {
        let batch = [
            append(&[("1", Expected::New, 2)], None),
            append(&[("2", Expected::New, 1), ("1", Expected::New, 1)], None),
            append(&[("1", Expected::Version(Version(2)), 1), ("2", Expected::New, 1)], None),
        ];
        let plan = plan(START, &mut Known::default(), &batch, 10);
        assert!(plan.outcomes[0].is_ok() && plan.outcomes[2].is_ok());
        assert!(
            matches!(&plan.outcomes[1], Err(AppendError::Conflict { actual: Version(2), .. })),
            "{:?}",
            plan.outcomes[1]
        );
        let placed: Vec<_> = plan.events.iter().map(|e| (e.position, e.stream.as_str(), e.version)).collect();
        assert_eq!(placed, [(1, "a-1", 1), (2, "a-1", 2), (3, "a-1", 3), (4, "a-2", 1)]);
        assert_eq!((plan.head.position, plan.head.recorded_at), (4, 50), "time never goes back");
    }

    #[test]
    fn a_stream_named_twice_goes_on_where_it_stands() {
        let batch = [append(&[("1", Expected::New, 1), ("1", Expected::Version(Version(1)), 1)], None)];
        let plan = plan(START, &mut Known::default(), &batch, 60);
        assert_eq!(plan.outcomes[0].as_ref().unwrap().versions, [Version(1), Version(2)]);
    }

    #[test]
    fn a_key_in_the_same_batch_is_answered_from_the_first() {
        let batch = [
            append(&[("1", Expected::New, 1)], Some(("k", "x"))),
            append(&[("1", Expected::New, 1)], Some(("k", "x"))),
            append(&[("1", Expected::New, 1)], Some(("k", "y"))),
        ];
        let plan = plan(START, &mut Known::default(), &batch, 60);
        assert_eq!(plan.outcomes[1].as_ref().unwrap().repeated, Some(json!("first")));
        assert!(matches!(plan.outcomes[2], Err(AppendError::KeyReused { .. })));
        assert_eq!(plan.events.len(), 1);
    }
}
