//! A process that is killed in the middle of its batches leaves whole appends, and nothing that it was not told to.

use std::{
    collections::{HashMap, HashSet},
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use domain::{Position, StreamId};
use platform::{
    clock::Clock,
    db::{Db, Options},
    log::{Expected, Log},
};

use crate::support::{Base, append, counter, on_both};

on_both![a_killed_process_leaves_whole_appends];

const URL: &str = "GANTRY_TEST_WRITER_URL";
/// Events in each append of the process that is killed.
const TOGETHER: i64 = 7;

async fn a_killed_process_leaves_whole_appends(base: Base) {
    let log = base.log().await;
    let mut told: HashSet<String> = HashSet::new();
    for _ in 0..3 {
        let program = std::env::current_exe().unwrap();
        let mut writer = Command::new(program)
            .args(["crash::writes_until_it_is_killed", "--exact", "--include-ignored", "--nocapture"])
            .env(URL, &base.url)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines().map_while(Result::ok);
        let acknowledged = |line: &String| line.strip_prefix("appended ").map(str::to_owned);
        told.extend(lines.by_ref().filter_map(|line| acknowledged(&line)).take(300));
        // SIGKILL: no destructor, no commit that was not under way.
        writer.kill().unwrap();
        told.extend(lines.filter_map(|line| acknowledged(&line)));
        writer.wait().unwrap();
    }
    let end = log.verify().await.unwrap().end.position;
    let mut found: HashMap<StreamId, i64> = HashMap::new();
    let mut at = Position(0);
    while at < end {
        for event in log.read(at, 1000).await.unwrap() {
            at = event.position;
            *found.entry(event.stream).or_default() += 1;
        }
    }
    assert!(found.values().all(|events| *events == TOGETHER), "an append in part");
    assert!(
        told.len() >= 900 && told.iter().all(|stream| found.contains_key(&StreamId::from_stored(stream.clone()))),
        "told yes and not there"
    );
    log.append(append(&counter(), Expected::New, 1)).await.unwrap();
}

/// Not a test of its own: the process that `a_killed_process_leaves_whole_appends` starts and kills.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Postgres: cargo xtask test"]
#[expect(clippy::disallowed_methods, reason = "told by the test that starts this process")]
async fn writes_until_it_is_killed() {
    let Ok(url) = std::env::var(URL) else { return };
    let db = Db::connect(&url, &Options::default()).await.unwrap();
    let log = Log::open(db, Vec::new(), Clock::system()).await.unwrap();
    let writers = (0..16).map(|_| {
        let log = log.clone();
        tokio::spawn(async move {
            loop {
                let stream = counter();
                log.append(append(&stream, Expected::New, TOGETHER)).await.unwrap();
                println!("appended {stream}");
            }
        })
    });
    futures_util::future::join_all(writers).await;
}
