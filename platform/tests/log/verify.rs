use domain::Position;
use platform::log::{Damage, Expected, Log, VerifyError};

use crate::support::{Base, append, counter, on_both, tamper};

on_both![an_untouched_log_is_whole, each_kind_of_tampering_is_found_where_it_is];

async fn an_untouched_log_is_whole(base: Base) {
    let log = base.log().await;
    assert_eq!(log.verify().await.unwrap().end.position, Position(0));
    for _ in 0..25 {
        log.append(append(&counter(), Expected::New, 100)).await.unwrap();
    }
    assert_eq!(log.verify().await.unwrap().end, log.end().await.unwrap());
}

async fn each_kind_of_tampering_is_found_where_it_is(base: Base) {
    let changed = Damage::Changed { at: Position(4) };
    let head = |end, head| Damage::Head { end: Position(end), head: Position(head) };
    let cases: Vec<(&str, Damage)> = vec![
        ("UPDATE log SET data = replace(data, '4', '5') WHERE position = 4", changed.clone()),
        ("UPDATE log SET meta = '{\"actor\":{\"type\":\"bootstrap\"}}' WHERE position = 4", changed.clone()),
        ("UPDATE log SET recorded_at = recorded_at + 1 WHERE position = 4", changed.clone()),
        ("UPDATE log SET stream = 'counter-other' WHERE position = 4", changed.clone()),
        ("UPDATE log SET kind = 'counter.removed' WHERE position = 4", changed.clone()),
        ("UPDATE log SET data = replace(data, '3', '4') WHERE position = 10", Damage::Changed { at: Position(10) }),
        ("DELETE FROM log WHERE position = 3", Damage::Removed { from: Position(3), to: Position(3) }),
        ("DELETE FROM log WHERE position = 10", head(9, 10)),
        ("DELETE FROM log WHERE position = 10; UPDATE log_head SET position = 9", Damage::HeadHash { at: Position(9) }),
        (
            "UPDATE log SET position = 100 WHERE position = 4; UPDATE log SET position = 4 WHERE position = 6; UPDATE log SET position = 6 WHERE position = 100",
            Damage::Moved { at: Position(4), found: Position(6) },
        ),
        (
            "DELETE FROM log WHERE position = 4; UPDATE log SET position = position + 100 WHERE position > 4; UPDATE log SET position = position - 101 WHERE position > 4",
            Damage::Rewritten { at: Position(4) },
        ),
        (
            "INSERT INTO log SELECT 11, stream, 99, kind, kind_version, data, meta, recorded_at, hash FROM log WHERE position = 10",
            Damage::Changed { at: Position(11) },
        ),
    ];
    let log = base.log().await;
    log.append(append(&counter(), Expected::New, 4)).await.unwrap();
    log.append(append(&counter(), Expected::New, 3)).await.unwrap();
    log.append(append(&counter(), Expected::New, 3)).await.unwrap();
    tamper(log.db(), "CREATE TABLE log_copy AS SELECT * FROM log; CREATE TABLE head_copy AS SELECT * FROM log_head")
        .await;
    for (sql, expected) in cases {
        tamper(log.db(), sql).await;
        assert_eq!(damage(&log).await, Some(expected), "{sql}");
        let restore = "DELETE FROM log; INSERT INTO log SELECT * FROM log_copy; DELETE FROM log_head; INSERT INTO log_head SELECT * FROM head_copy";
        tamper(log.db(), restore).await;
        assert_eq!(damage(&log).await, None);
    }
}

async fn damage(log: &Log) -> Option<Damage> {
    match log.verify().await {
        Ok(_) => None,
        Err(VerifyError::Damaged(damage)) => Some(damage),
        Err(other) => panic!("{other}"),
    }
}
