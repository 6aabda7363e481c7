use chrono::Weekday;
use uuid::Uuid;

use super::*;
use crate::container::BackupMade;
use crate::testing::given;
use crate::vmid::Vmid;
use crate::{Aggregate as _, HostId};

fn at(text: &str) -> DateTime<Utc> {
    format!("{text}:00Z").parse().unwrap()
}

fn nightly() -> Schedule {
    let every = Every::Day { hour: 2, minute: 30 };
    Schedule { every, keep: Keep::default(), storage: None, mode: BackupMode::Snapshot, notes: None }
}

fn operation(number: u128) -> OperationId {
    OperationId::new(Uuid::from_u128(number))
}

#[test]
fn the_last_due_time_is_at_or_before_now() {
    let day = Every::Day { hour: 2, minute: 30 };
    assert_eq!(day.last_due(at("2026-03-01T02:30")), at("2026-03-01T02:30"));
    assert_eq!(day.last_due(at("2026-03-01T02:29")), at("2026-02-28T02:30"));
    assert_eq!(Every::Hour { minute: 45 }.last_due(at("2026-01-01T00:10")), at("2025-12-31T23:45"));
    let sunday = Every::Week { weekday: Weekday::Sun, hour: 3, minute: 0 };
    assert_eq!(sunday.last_due(at("2026-03-01T02:00")), at("2026-02-22T03:00"));
    assert_eq!(sunday.last_due(at("2026-03-04T02:00")), at("2026-03-01T03:00"));
    let month = Every::Month { day: 28, hour: 0, minute: 0 };
    assert_eq!(month.last_due(at("2026-03-27T23:59")), at("2026-02-28T00:00"));
    assert_eq!(month.last_due(at("2026-03-31T23:59")), at("2026-03-28T00:00"));
    assert_eq!(day.next_due(at("2026-02-28T02:30")), at("2026-03-01T02:30"));
    assert_eq!(sunday.next_due(at("2026-03-04T02:00")), at("2026-03-08T03:00"));
    assert_eq!(month.next_due(at("2026-01-31T00:00")), at("2026-02-28T00:00"));
    let first = Every::Month { day: 1, hour: 4, minute: 0 };
    assert_eq!(first.last_due(at("2026-03-01T03:00")), at("2026-02-01T04:00"));
}

#[test]
fn what_was_missed_is_caught_up_on_once() {
    let set = ScheduleEvent::Set { name: "nightly".into(), schedule: nightly(), at: at("2026-03-01T12:00") };
    let state = Schedules::fold([&set]);
    let standing = state.get("nightly").unwrap();
    assert_eq!(standing.due(at("2026-03-01T13:00")), None, "what was due before it was set is not");
    assert_eq!(standing.due(at("2026-03-05T13:00")), Some(at("2026-03-05T02:30")), "one for four nights");
    let due = at("2026-03-05T02:30");
    let begin = |number| ScheduleCommand::Begin { name: "nightly".into(), due, operation: operation(number) };
    let now = Given { now: at("2026-03-05T13:00") };
    let begun = ScheduleEvent::Begun { name: "nightly".into(), due, operation: operation(1) };
    given::<Schedules>([set.clone()]).when(begin(1), &now).then([begun.clone()]);
    given::<Schedules>([set.clone(), begun.clone()]).when(begin(2), &now).then_rejected(|no| {
        assert_eq!(*no, ScheduleRejection::BegunBefore);
    });
    assert_eq!(Schedules::fold([&set, &begun]).get("nightly").unwrap().due(at("2026-03-06T02:29")), None);
}

#[test]
fn the_newest_and_the_newest_of_each_day_stay() {
    let made = |day: u32, hour: u32| BackupMade {
        volume: format!("{day}-{hour}"),
        host: HostId::new(Uuid::nil()),
        node: "pve1".into(),
        vmid: Vmid::try_from(100).unwrap(),
        size_bytes: 1,
        made_at: at(&format!("2026-03-{day:02}T{hour:02}:00")),
        protected: day == 1,
        operation: operation(1),
        schedule: None,
    };
    let all: Vec<_> =
        [(1, 1), (2, 1), (3, 1), (3, 9), (4, 1), (4, 9), (4, 17)].map(|(day, hour)| made(day, hour)).into();
    let all: Vec<&BackupMade> = all.iter().collect();
    assert!(Keep::default().surplus(&all).is_empty(), "nothing said keeps all");
    let last = Keep { last: Some(2), ..Keep::default() };
    assert_eq!(last.surplus(&all), ["2-1", "3-1", "3-9", "4-1"], "the protected one stays and does not count");
    let both = Keep { last: Some(2), daily: Some(2), ..Keep::default() };
    assert_eq!(both.surplus(&all), ["2-1", "3-1", "4-1"]);
    let monthly = Keep { monthly: Some(3), ..Keep::default() };
    assert_eq!(monthly.surplus(&all), ["2-1", "3-1", "3-9", "4-1", "4-9"]);
}

#[test]
fn what_is_wrong_is_said_all_at_once() {
    let bad = Schedule {
        every: Every::Month { day: 31, hour: 24, minute: 60 },
        keep: Keep { last: Some(0), ..Keep::default() },
        storage: Some("a b".into()),
        notes: Some("a\nb".into()),
        ..nightly()
    };
    let fields: Vec<_> = bad.validate().into_iter().map(|error| error.field).collect();
    assert_eq!(fields, ["every.day", "every.hour", "every.minute", "keep.last", "storage", "notes"]);
    let now = Given { now: at("2026-03-05T13:00") };
    let set = ScheduleCommand::Set { name: "no name".into(), schedule: nightly() };
    given::<Schedules>([]).when(set, &now).then_rejected(|_| {});
}
