use std::sync::Arc;

use domain::{Position, Version};
use futures_util::future::{BoxFuture, join_all};
use platform::{
    clock,
    db::Tx,
    log::{Append, AppendError, ExecuteError, Expected, Idempotency, Rows},
    views::ViewError,
};
use serde_json::json;
use uuid::Uuid;

use crate::support::{Base, Counter, OverTen, added, append, counter, meta, on_both};

on_both![
    an_append_is_read_as_it_was_given,
    the_wrong_version_is_a_conflict_that_says_which,
    a_conflict_does_not_fail_its_neighbours,
    several_streams_are_all_or_none,
    a_stream_without_events_is_only_held_to_its_version,
    a_repeated_key_gets_the_first_answer,
    keys_are_forgotten_after_a_while,
    a_row_that_refuses_takes_only_its_own_append_with_it,
    two_processes_share_a_log,
    commands_that_race_are_decided_again,
    a_closed_log_writes_what_waits_and_refuses_more,
];

async fn an_append_is_read_as_it_was_given(base: Base) {
    let log = base.log().await;
    let stream = counter();
    let appended = log.append(append(&stream, Expected::New, 3)).await.unwrap();
    assert_eq!((appended.first, appended.last, &*appended.versions), (Position(1), Position(3), &[Version(3)][..]));
    let events = log.stream(&stream, Version(1)).await.unwrap();
    assert_eq!(events.iter().map(|e| (e.position.0, e.version.0)).collect::<Vec<_>>(), [(2, 2), (3, 3)]);
    assert_eq!((&events[0].data, &events[0].meta), (&added(2).data, &meta()));
    assert_eq!(log.read(Position(0), 2).await.unwrap().len(), 2);
    assert_eq!(log.end().await.unwrap().position, Position(3));
}

async fn the_wrong_version_is_a_conflict_that_says_which(base: Base) {
    let log = base.log().await;
    let stream = counter();
    log.append(append(&stream, Expected::New, 2)).await.unwrap();
    for expected in [Expected::New, Expected::Version(Version(1)), Expected::Version(Version(3))] {
        match log.append(append(&stream, expected, 1)).await {
            Err(AppendError::Conflict { stream: of, actual, .. }) => {
                assert_eq!((of, actual), (stream.clone(), Version(2)))
            }
            other => panic!("{expected:?}: {other:?}"),
        }
    }
    // A fresh process remembers nothing and says the same.
    let other = base.log().await;
    for expected in [Expected::New, Expected::Version(Version(3))] {
        assert!(other.append(append(&stream, expected, 1)).await.unwrap_err().is_conflict(), "{expected:?}");
    }
    assert_eq!(log.append(append(&stream, Expected::Any, 1)).await.unwrap().versions, [Version(3)]);
}

async fn a_conflict_does_not_fail_its_neighbours(base: Base) {
    let log = base.log().await;
    let taken = counter();
    log.append(append(&taken, Expected::New, 1)).await.unwrap();
    let tries = (0..60).map(|n| {
        let (log, taken) = (log.clone(), taken.clone());
        async move {
            if n % 3 == 0 {
                log.append(append(&taken, Expected::New, 1)).await
            } else {
                log.append(append(&counter(), Expected::New, 2)).await
            }
        }
    });
    for (n, outcome) in join_all(tries).await.into_iter().enumerate() {
        assert_eq!(outcome.is_ok(), n % 3 != 0, "{n}: {outcome:?}");
    }
    assert_eq!(log.verify().await.unwrap().end.position, Position(81));
}

async fn several_streams_are_all_or_none(base: Base) {
    let log = base.log().await;
    let (one, two) = (counter(), counter());
    log.append(append(&two, Expected::New, 1)).await.unwrap();
    let both = |expected| {
        Append::new(meta()).stream(one.clone(), Expected::New, vec![added(1)]).stream(
            two.clone(),
            expected,
            vec![added(1)],
        )
    };
    assert!(log.append(both(Expected::New)).await.unwrap_err().is_conflict());
    assert!(log.stream(&one, Version(0)).await.unwrap().is_empty());
    let appended = log.append(both(Expected::Version(Version(1)))).await.unwrap();
    assert_eq!(appended.versions, [Version(1), Version(2)]);
}

async fn a_stream_without_events_is_only_held_to_its_version(base: Base) {
    let log = base.log().await;
    let (held, stream) = (counter(), counter());
    log.append(append(&held, Expected::New, 1)).await.unwrap();
    let other = base.log().await;
    for log in [&log, &other] {
        let with = |expected| append(&stream, Expected::Any, 1).stream(held.clone(), expected, Vec::new());
        assert!(log.append(with(Expected::New)).await.unwrap_err().is_conflict());
        log.append(with(Expected::Version(Version(1)))).await.unwrap();
    }
}

async fn a_repeated_key_gets_the_first_answer(base: Base) {
    let log = base.log().await;
    let key = |print: &str, answer| Some(Idempotency { key: "k".into(), fingerprint: print.into(), answer });
    let stream = counter();
    let first = log.append(append(&stream, Expected::New, 1).once(key("a", json!({"n": 1})))).await.unwrap();
    assert_eq!(first.repeated, None);
    for log in [&log, &base.log().await] {
        let again = log.append(append(&stream, Expected::New, 1).once(key("a", json!({"n": 2})))).await.unwrap();
        assert_eq!((again.repeated, again.first), (Some(json!({"n": 1})), first.first));
        let other = log.append(append(&counter(), Expected::New, 1).once(key("b", json!(3)))).await;
        assert!(matches!(other, Err(AppendError::KeyReused { .. })), "{other:?}");
    }
    assert_eq!(log.end().await.unwrap().position, Position(1));
    // Many at once with one key: one of them is done.
    let many = join_all((0..20).map(|_| {
        let once = Idempotency { key: "m".into(), fingerprint: "m".into(), answer: json!(1) };
        log.append(append(&counter(), Expected::New, 1).once(Some(once)))
    }))
    .await;
    assert_eq!(many.iter().filter(|done| done.as_ref().unwrap().repeated.is_none()).count(), 1);
    assert_eq!(log.end().await.unwrap().position, Position(2));
}

async fn keys_are_forgotten_after_a_while(base: Base) {
    let log = base.log().await;
    let once = || {
        append(&counter(), Expected::New, 1).once(Some(Idempotency {
            key: "k".into(),
            fingerprint: "f".into(),
            answer: json!(1),
        }))
    };
    log.append(once()).await.unwrap();
    assert_eq!(log.forget_keys(crate::support::at(0)).await.unwrap(), 0);
    assert_eq!(log.forget_keys(clock::now()).await.unwrap(), 1);
    assert_eq!(log.append(once()).await.unwrap().repeated, None);
}

struct Refuses(bool);

impl Rows for Refuses {
    fn write<'a>(&'a self, _: &'a mut Tx) -> BoxFuture<'a, Result<(), ViewError>> {
        Box::pin(async move { if self.0 { Err(ViewError::Refused("taken".into())) } else { Ok(()) } })
    }
}

async fn a_row_that_refuses_takes_only_its_own_append_with_it(base: Base) {
    let log = base.log().await;
    let outcomes =
        join_all((0..12).map(|n| log.append(append(&counter(), Expected::New, 1).with(Arc::new(Refuses(n % 4 == 0))))))
            .await;
    for (n, outcome) in outcomes.into_iter().enumerate() {
        match outcome {
            Ok(_) => assert_ne!(n % 4, 0),
            Err(AppendError::Refused(why)) => assert_eq!((n % 4, why.to_string()), (0, "taken".into())),
            Err(other) => panic!("{n}: {other}"),
        }
    }
    assert_eq!(log.verify().await.unwrap().end.position, Position(9));
}

async fn two_processes_share_a_log(base: Base) {
    let (one, two) = (base.log().await, base.log().await);
    let stream = counter();
    for n in 0..20 {
        let log = if n % 2 == 0 { &one } else { &two };
        let expected = if n == 0 { Expected::New } else { Expected::Version(Version(n)) };
        log.append(append(&stream, expected, 1)).await.unwrap();
    }
    let many =
        join_all((0..200).map(|n| (if n % 2 == 0 { &one } else { &two }).append(append(&counter(), Expected::New, 1))))
            .await;
    assert!(many.iter().all(Result::is_ok));
    assert_eq!(one.verify().await.unwrap().end.position, Position(220));
}

async fn commands_that_race_are_decided_again(base: Base) {
    let (one, two) = (base.log().await, base.log().await);
    let id = Uuid::now_v7();
    let outcomes =
        join_all((0..14).map(|n| (if n % 2 == 0 { &one } else { &two }).execute::<Counter>(id, 1, &(), meta()))).await;
    let (done, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(done.len(), 10);
    assert!(refused.iter().all(|outcome| matches!(outcome, Err(ExecuteError::Rejected(OverTen)))), "{refused:?}");
    let loaded = one.load::<Counter>(id).await.unwrap();
    assert_eq!((loaded.state, loaded.version), (Counter(10), Version(10)));
    assert!(one.execute::<Counter>(id, 0, &(), meta()).await.unwrap().appended.is_none());
}

async fn a_closed_log_writes_what_waits_and_refuses_more(base: Base) {
    let log = base.log().await;
    let waiting: Vec<_> = (0..50)
        .map(|_| {
            tokio::spawn({
                let log = log.clone();
                async move { log.append(append(&counter(), Expected::New, 1)).await }
            })
        })
        .collect();
    log.append(append(&counter(), Expected::New, 1)).await.unwrap();
    log.close().await;
    let done = join_all(waiting).await.into_iter().filter(|outcome| outcome.as_ref().unwrap().is_ok()).count() as i64;
    assert!(matches!(log.append(append(&counter(), Expected::New, 1)).await, Err(AppendError::Closed)));
    assert_eq!(
        log.end().await.unwrap().position,
        Position(done + 1),
        "who was told yes is in the log, and nobody else"
    );
}
