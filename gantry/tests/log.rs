//! The event log as a file: out of one database, into another, and nothing damaged gets in.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod run;

use std::path::Path;

use domain::{
    Event as _, Meta, StreamId,
    host::{Auth, HostEvent, HostSettings, Limits},
};
use platform::{
    clock::{self, Clock},
    db::{Db, Options},
    log::{Append, Expected, Log},
    views,
};
use run::{gantry, json, sqlite};

/// A database with one event.
async fn filled(directory: &Path) -> String {
    let url = sqlite(directory, "one.db");
    let db = Db::connect(&url, &Options::default()).await.unwrap();
    db.migrate(clock::now()).await.unwrap();
    let log = Log::open(db, views::all(), Clock::system()).await.unwrap();
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
    log.close().await;
    url
}

#[tokio::test]
async fn out_of_one_database_and_into_another() {
    let directory = tempfile::tempdir().unwrap();
    let one = filled(directory.path()).await;
    let (two, file) = (sqlite(directory.path(), "two.db"), directory.path().join("log.jsonl"));
    let name = file.to_str().unwrap();
    let whole = json(gantry(&["log", "verify", "--json"]).database(&one));
    assert_eq!(whole["events"], 1);
    assert_eq!(json(gantry(&["log", "export", name, "--json"]).database(&one))["events"], 1);
    let again = gantry(&["log", "export", name]).database(&one).run();
    assert!(again.code == 1 && again.stderr.contains("exists"), "an export overwrites nothing: {}", again.stderr);
    let streamed = gantry(&["log", "export"]).database(&one).run();
    assert_eq!(streamed.stdout, std::fs::read_to_string(&file).unwrap());

    assert_eq!(json(gantry(&["migrate", "--json"]).database(&two))["schema"], platform::db::LATEST);
    assert_eq!(json(gantry(&["migrate", "--json"]).database(&two))["applied"], serde_json::json!([]));
    std::fs::write(&file, streamed.stdout.replace("pve1", "pve2")).unwrap();
    let damaged = gantry(&["log", "import", name]).database(&two).run();
    let told = &damaged.stderr;
    assert!(damaged.code == 1 && told.contains("line 1") && told.contains("nothing was imported"), "{told}");
    std::fs::write(&file, &streamed.stdout).unwrap();
    assert_eq!(json(gantry(&["log", "import", name, "--json"]).database(&two))["events"], 1);
    assert_eq!(json(gantry(&["log", "verify", "--json"]).database(&two)), whole);
    assert_eq!(json(gantry(&["log", "replay", "--json"]).database(&two))["agrees"], true);
    let words = gantry(&["log", "replay", "--rebuild"]).database(&two).run().stdout;
    assert!(words.contains("hosts") && words.contains("all of it agrees"), "{words}");
}
