//! Secrets are sealed anew with another key, and the old one can be thrown away.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod run;

use domain::{Meta, NewEvent, SealedId, StreamId};
use platform::{
    clock::{self, Clock},
    db::{Db, Options},
    log::{Append, Expected, Log},
    vault::{Keys, SecretBytes, Vault},
};
use run::{gantry, json, sqlite};

fn new_key() -> String {
    json(gantry(&["keys", "new", "--json"]))["key"].as_str().unwrap().to_owned()
}

async fn opened(url: &str) -> Log {
    let db = Db::connect(url, &Options::default()).await.unwrap();
    db.migrate(clock::now()).await.unwrap();
    Log::open(db, Vec::new(), Clock::system()).await.unwrap()
}

/// Three secrets, sealed with this key.
async fn sealed(url: &str, keys: &str) -> Vec<SealedId> {
    let log = opened(url).await;
    let vault = Vault::new(log.db().clone(), Keys::parse(keys).unwrap(), Clock::system());
    let event = NewEvent { kind: "test.sealed".into(), kind_version: 1, data: serde_json::json!({}) };
    let mut append = Append::new(Meta::system("test")).stream(StreamId::new("test", "1"), Expected::New, vec![event]);
    let mut ids = Vec::new();
    for n in 0..3 {
        let (id, rows) = vault.seal(&format!("test/{n}"), SecretBytes::from(format!("secret {n}"))).unwrap();
        append = append.with(rows);
        ids.push(id);
    }
    log.append(append).await.unwrap();
    log.close().await;
    ids
}

/// How many of them these keys open.
async fn open(url: &str, keys: &str, ids: &[SealedId]) -> usize {
    let log = opened(url).await;
    let vault = Vault::new(log.db().clone(), Keys::parse(keys).unwrap(), Clock::system());
    let mut open = 0;
    for (n, id) in ids.iter().enumerate() {
        open +=
            usize::from(vault.open(*id).await.is_ok_and(|secret| secret.expose() == format!("secret {n}").as_bytes()));
    }
    log.close().await;
    open
}

#[tokio::test]
async fn what_the_old_key_sealed_opens_with_the_new_one_alone() {
    let directory = tempfile::tempdir().unwrap();
    let url = sqlite(directory.path(), "gantry.db");
    let (old, new) = (format!("old:{}", new_key()), format!("new:{}", new_key()));
    let ids = sealed(&url, &old).await;
    let rotate = |keys: &str| gantry(&["keys", "rotate", "--json"]).database(&url).env("GANTRY_VAULT_KEYS", keys);

    // Without the old key nothing can be opened, so nothing is changed.
    let without = rotate(&new).run();
    assert_eq!(without.code, 1);
    assert!(
        without.stderr.contains("GANTRY_VAULT_KEYS") && without.stderr.contains("throw no key away"),
        "{}",
        without.stderr
    );
    let told: serde_json::Value = serde_json::from_str(&without.stdout).unwrap();
    assert_eq!((&told["resealed"], told["unreadable"].as_array().unwrap().len()), (&0.into(), 3));
    assert_eq!((open(&url, &old, &ids).await, open(&url, &new, &ids).await), (3, 0));

    let both = format!("{new},{old}");
    assert_eq!(json(rotate(&both))["resealed"], 3);
    assert_eq!((open(&url, &new, &ids).await, open(&url, &old, &ids).await), (3, 0), "the new key alone, and no other");
    assert_eq!(json(rotate(&both))["resealed"], 0, "all is done already");
    let words = gantry(&["keys", "rotate"]).database(&url).env("GANTRY_VAULT_KEYS", &new).run();
    assert_eq!((words.code, words.stdout.trim()), (0, "0 secrets were sealed anew with the first key."));
    for key in [&old, &new] {
        let (_, digits) = key.split_once(':').unwrap();
        assert!(!words.stdout.contains(digits) && !without.stderr.contains(digits), "a key is shown");
    }
}
