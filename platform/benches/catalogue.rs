//! A tree of 1,000 templates: how long it takes to find them all, to look again, and what of them is kept in memory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_precision_loss,
    reason = "a bench fails by panicking, and its counts fit"
)]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use domain::Meta;
use platform::catalogue::Catalogue;
use platform::clock::{self, Clock};
use platform::db::{Db, Options};
use platform::log::Log;
use xtask::bench::{Aim, Figure, median};

const TEMPLATES: usize = 1000;
const ROUNDS: usize = 15;
/// The content of each one's largest file: it must not stay in memory.
const LARGE: usize = 64 << 10;

fn write(root: &Path, n: usize) {
    let template = root.join(format!("t{n:04}"));
    let put = |path: &str, content: &str| {
        let path = template.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    let broken = if n == TEMPLATES / 2 { "TEMPLATE_TAGS=$(id)\n" } else { "" };
    put("template.conf", &format!("TEMPLATE_APP=\"Number {n}\"\nTEMPLATE_PORTS=\"80=web\"\n{broken}"));
    put("README.md", "# One of many\n");
    put("container-configs/packages/base.apt", "nginx\ncurl\n");
    put("container-configs/scripts/10-a.sh", "#!/bin/sh\necho a\n");
    put("container-configs/scripts/40-b.sh", "#!/bin/sh\necho b\n");
    put("container-configs/files/site.conf", &"#".repeat(LARGE));
    put("container-configs/files/site.conf.path", "/etc/nginx/conf.d\n");
}

fn resident_mb() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1024.0
}

#[tokio::main]
async fn main() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("templates");
    (0..TEMPLATES).for_each(|n| write(&root, n));
    let url = format!("sqlite:{}", directory.path().join("gantry.db").display());
    let db = Db::connect(&url, &Options::default()).await.unwrap();
    db.migrate(clock::now()).await.unwrap();
    let log = Log::open(db.clone(), Vec::new(), Clock::system()).await.unwrap();
    let seconds = |from: Instant| from.elapsed().as_secs_f64();

    // The limit: only reading what there is to read.
    let started = Instant::now();
    let bytes: usize = files(&root).iter().map(|path| fs::read(path).unwrap().len()).sum();
    let reading = seconds(started);
    assert!(bytes > TEMPLATES * LARGE);

    let before = resident_mb();
    let catalogue = Catalogue::new(&root, db.clone());
    let started = Instant::now();
    let found = catalogue.refresh(&log, Meta::system("bench")).await.unwrap();
    let first = seconds(started) * 1000.0;
    assert_eq!((found.templates, found.changes.len()), (TEMPLATES, TEMPLATES));
    Figure::new("catalogue", "1,000 templates found and logged", first, "ms")
        .limit(reading * 1000.0)
        .aim(Aim::AtMost(3000.0))
        .print();
    Figure::new("catalogue", "memory for 1,000 templates", (resident_mb() - before).max(0.0), "MB")
        .aim(Aim::AtMost(48.0))
        .print();

    // What changed a moment ago is read once more; from then on nothing is.
    let settled = clock::now() + chrono::TimeDelta::seconds(4);
    while clock::now() < settled {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    catalogue.refresh(&log, Meta::system("bench")).await.unwrap();
    let mut again = Vec::new();
    for _ in 0..ROUNDS {
        let started = Instant::now();
        assert!(catalogue.refresh(&log, Meta::system("bench")).await.unwrap().changes.is_empty());
        again.push(seconds(started) * 1000.0);
    }
    Figure::new("catalogue", "looked at again, nothing changed", median(&again), "ms").aim(Aim::AtMost(250.0)).print();

    let mut lists = Vec::new();
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let list = catalogue.list().await.unwrap();
        assert_eq!(list.iter().filter(|listed| listed.usable.is_none()).count(), 1);
        lists.push(seconds(started) * 1000.0);
    }
    Figure::new("catalogue", "listed", median(&lists), "ms").aim(Aim::AtMost(50.0)).print();
}

fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().flatten() {
        if entry.path().is_dir() { found.extend(files(&entry.path())) } else { found.push(entry.path()) }
    }
    found
}
