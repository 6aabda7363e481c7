//! The commands that look after the log, on SQLite.
#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a test says what it expects by failing, and takes the commands in as a module"
)]

#[path = "../src/commands/log.rs"]
mod log;

use std::path::Path;

use domain::{
    Event as _, Meta, StreamId,
    host::{Auth, HostEvent, HostSettings, Limits},
};
use log::LogCommand;
use platform::{
    clock::Clock,
    db::{Db, Options},
    log::{Append, Expected, Log},
    views,
};

async fn database(directory: &Path, name: &str) -> Db {
    Db::connect(&format!("sqlite:{}", directory.join(name).display()), &Options::default()).await.unwrap()
}

async fn said(db: &Db, command: LogCommand) -> (String, Result<(), String>) {
    let mut out = Vec::new();
    let ended = log::run(db.clone(), command, &mut out).await.map_err(|error| format!("{error:#}"));
    (String::from_utf8(out).unwrap(), ended)
}

async fn filled(directory: &Path) -> Db {
    let db = database(directory, "one.db").await;
    log::migrate(&db, &mut Vec::new()).await.unwrap();
    let log = Log::open(db.clone(), views::all(), Clock::system()).await.unwrap();
    let auth =
        Auth::Password { user: "root@pam".into(), sealed: "01990000-0000-7000-8000-000000000000".parse().unwrap() };
    let settings = HostSettings {
        name: "pve1".into(),
        addresses: vec!["pve1:8006".into()],
        auth,
        fingerprint: None,
        pins: std::collections::BTreeMap::new(),
        ssh: None,
        limits: Limits::default(),
    };
    let stream = StreamId::new("host", "01990000-0000-7000-8000-000000000001");
    let event = HostEvent::Registered { settings }.encode().unwrap();
    log.append(Append::new(Meta::system("test")).stream(stream, Expected::New, vec![event])).await.unwrap();
    db
}

#[tokio::test]
async fn out_of_one_database_and_into_another() {
    let directory = tempfile::tempdir().unwrap();
    let (db, file) = (filled(directory.path()).await, directory.path().join("log.jsonl"));
    let (whole, ended) = said(&db, LogCommand::Verify).await;
    assert!(ended.is_ok() && whole.contains("1 events"), "{whole}");
    said(&db, LogCommand::Export { file: file.clone() }).await.1.unwrap();
    assert!(said(&db, LogCommand::Export { file: file.clone() }).await.1.unwrap_err().contains("can't be made"));

    let other = database(directory.path(), "two.db").await;
    let unmigrated = said(&other, LogCommand::Import { file: file.clone() }).await.1.unwrap_err();
    assert!(unmigrated.contains("gantry migrate"), "{unmigrated}");
    log::migrate(&other, &mut Vec::new()).await.unwrap();
    let lines = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, lines.replace("pve1", "pve2")).unwrap();
    let damaged = said(&other, LogCommand::Import { file: file.clone() }).await.1.unwrap_err();
    assert!(damaged.contains("line 1") && damaged.contains("nothing was imported"), "{damaged}");
    std::fs::write(&file, lines).unwrap();
    said(&other, LogCommand::Import { file }).await.1.unwrap();
    assert_eq!(said(&other, LogCommand::Verify).await, (whole, Ok(())));
    let (report, ended) = said(&other, LogCommand::Replay { rebuild: false }).await;
    assert!(ended.is_ok() && report.contains("hosts: 1 rows, as they were"), "{report}");
}

#[tokio::test]
async fn migrating_twice_says_that_there_is_nothing_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let db = filled(directory.path()).await;
    let mut out = Vec::new();
    log::migrate(&db, &mut out).await.unwrap();
    assert!(String::from_utf8(out).unwrap().contains("nothing to do"));
}
