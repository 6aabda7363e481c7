use domain::Position;
use platform::log::{Expected, ImportError};

use crate::support::{Base, append, counter, on_both};

on_both![the_log_survives_a_round_trip, a_damaged_line_is_named_and_nothing_imported, only_an_empty_log_is_filled];

async fn exported(base: &Base) -> String {
    let log = base.log().await;
    let stream = counter();
    log.append(append(&stream, Expected::New, 3)).await.unwrap();
    for _ in 0..1100 {
        log.append(append(&counter(), Expected::New, 2)).await.unwrap();
    }
    let mut out = Vec::new();
    assert_eq!(log.export(&mut out).await.unwrap(), 2203);
    String::from_utf8(out).unwrap()
}

async fn the_log_survives_a_round_trip(base: Base) {
    let lines = exported(&base).await;
    let end = base.log().await.end().await.unwrap();
    // Into SQLite from either.
    let into = Base::sqlite().await;
    let other = into.log().await;
    assert_eq!(other.import(lines.as_bytes()).await.unwrap(), 2203);
    assert_eq!(other.verify().await.unwrap().end, end);
    let mut again = Vec::new();
    other.export(&mut again).await.unwrap();
    assert_eq!(String::from_utf8(again).unwrap(), lines);
    other.append(append(&counter(), Expected::New, 1)).await.unwrap();
    assert_eq!(other.verify().await.unwrap().end.position, Position(2204));
}

async fn a_damaged_line_is_named_and_nothing_imported(base: Base) {
    let lines = exported(&Base::sqlite().await).await;
    let damage = |number: usize, from: &str, to: &str| -> String {
        let changed = lines
            .lines()
            .enumerate()
            .map(|(n, line)| if n + 1 == number { line.replace(from, to) } else { line.to_owned() });
        changed.map(|line| line + "\n").collect()
    };
    let log = base.log().await;
    for (number, from, to) in
        [(1500, "{", ""), (1700, "\"amount\":1", "\"amount\":2"), (2, "\"version\":2", "\"version\":4")]
    {
        let refused = log.import(damage(number, from, to).as_bytes()).await.unwrap_err();
        assert!(matches!(refused, ImportError::Line { .. } | ImportError::Damaged { .. }), "{refused}");
        assert!(refused.to_string().contains(&format!("line {number}")), "{refused}");
        assert_eq!(log.end().await.unwrap().position, Position(0));
        assert!(log.read(Position(0), 1).await.unwrap().is_empty());
    }
    let without: String =
        lines.lines().enumerate().filter(|(n, _)| *n != 7).map(|(_, line)| format!("{line}\n")).collect();
    assert!(log.import(without.as_bytes()).await.unwrap_err().to_string().contains("line 8"));
}

async fn only_an_empty_log_is_filled(base: Base) {
    let log = base.log().await;
    log.append(append(&counter(), Expected::New, 1)).await.unwrap();
    assert!(matches!(log.import(&b""[..]).await, Err(ImportError::NotEmpty(1))));
}
