use futures_util::future::join_all;
use platform::series::records::{self, Numbered, RecordError};
use serde_json::json;

use crate::support::{Base, at, on_both};

on_both![numbers_are_gapless_in_each_series, a_fence_that_is_over_writes_nothing, what_is_forgotten_keeps_its_number];

async fn numbers_are_gapless_in_each_series(base: Base) {
    let log = base.log().await;
    let db = log.db();
    let bodies = [json!({"line": "a'b\"c"}), json!([1, {"x": null}]), json!("ü")];
    assert_eq!(records::append(db, "a", None, &bodies, at(0)).await.unwrap(), Numbered { first: 1, last: 3 });
    join_all((0..20).map(|n| async move {
        records::append(db, if n % 2 == 0 { "a" } else { "b" }, None, &[json!(n), json!(n)], at(1)).await.unwrap()
    }))
    .await;
    let read = records::read(db, "a", 0, 100).await.unwrap();
    assert_eq!(read.iter().map(|r| r.seq).collect::<Vec<_>>(), (1..=23).collect::<Vec<_>>());
    assert_eq!(read[..3].iter().map(|r| r.body.clone()).collect::<Vec<_>>(), bodies);
    assert!(read[3..].chunks(2).all(|pair| pair[0].body == pair[1].body), "a batch stays together");
    assert_eq!(records::read(db, "b", 5, 3).await.unwrap().iter().map(|r| r.seq).collect::<Vec<_>>(), [6, 7, 8]);
    assert_eq!(records::last(db, "c").await.unwrap(), 0);
}

async fn a_fence_that_is_over_writes_nothing(base: Base) {
    let log = base.log().await;
    let db = log.db();
    records::append(db, "a", Some(3), &[json!(1)], at(0)).await.unwrap();
    records::append(db, "a", Some(5), &[], at(0)).await.unwrap();
    let refused = records::append(db, "a", Some(3), &[json!(2)], at(0)).await;
    assert!(matches!(refused, Err(RecordError::Fenced { held: 5, offered: 3, .. })), "{refused:?}");
    records::append(db, "a", None, &[json!(3)], at(0)).await.unwrap();
    records::append(db, "a", Some(5), &[json!(4)], at(0)).await.unwrap();
    assert!(
        records::append(db, "a", Some(4), &[json!(5)], at(0)).await.is_err(),
        "writing without a fence does not lower it"
    );
    let read = records::read(db, "a", 0, 10).await.unwrap();
    assert_eq!(
        read.iter().map(|r| (r.seq, r.body.clone())).collect::<Vec<_>>(),
        [(1, json!(1)), (2, json!(3)), (3, json!(4))]
    );
}

async fn what_is_forgotten_keeps_its_number(base: Base) {
    let log = base.log().await;
    let db = log.db();
    records::append(db, "a", None, &[json!(1), json!(2)], at(0)).await.unwrap();
    records::append(db, "a", None, &[json!(3)], at(10)).await.unwrap();
    assert_eq!(records::forget(db, at(10)).await.unwrap(), 2);
    assert_eq!(records::read(db, "a", 0, 10).await.unwrap()[0].seq, 3);
    assert_eq!(records::forget(db, at(11)).await.unwrap(), 1);
    assert_eq!(records::append(db, "a", None, &[json!(4)], at(11)).await.unwrap().first, 4);
}
