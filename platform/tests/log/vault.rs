use domain::SealedId;
use platform::{
    clock::Clock,
    log::{Append, Expected, Log},
    vault::{Keys, SecretBytes, Vault, VaultError},
};
use sqlx::Row as _;
use uuid::Uuid;

use crate::support::{Base, added, counter, meta, on_both, tamper};

on_both![
    a_secret_is_written_with_its_event_or_not_at_all,
    what_was_forgotten_is_gone,
    a_changed_or_moved_row_does_not_open,
    keys_are_rotated_and_the_old_one_thrown_away,
    a_rotation_leaves_what_it_cannot_open,
];

const OLD: &str = "old:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const NEW: &str = "new:ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff";

fn vault(log: &Log, keys: &str) -> Vault {
    Vault::new(log.db().clone(), Keys::parse(keys).unwrap(), Clock::system())
}

fn secret(text: &str) -> SecretBytes {
    SecretBytes::from(text.to_owned())
}

/// Seals so many, in one append.
async fn sealed(log: &Log, vault: &Vault, count: usize) -> Vec<SealedId> {
    let mut append = Append::new(meta()).stream(counter(), Expected::New, vec![added(1)]);
    let mut ids = Vec::new();
    for n in 0..count {
        let (id, rows) = vault.seal(&format!("test/{n}"), secret(&format!("secret {n}"))).unwrap();
        append = append.with(rows);
        ids.push(id);
    }
    log.append(append).await.unwrap();
    ids
}

async fn count(log: &Log, sql: &'static str) -> i64 {
    match log.db() {
        platform::db::Db::Postgres(server) => sqlx::query(sql).fetch_one(&server.pool).await.unwrap().get(0),
        platform::db::Db::Sqlite(lite) => sqlx::query(sql).fetch_one(&lite.read).await.unwrap().get(0),
    }
}

async fn a_secret_is_written_with_its_event_or_not_at_all(base: Base) {
    let log = base.log().await;
    let vault = vault(&log, OLD);
    let stream = counter();
    let (id, rows) = vault.seal("host/token", secret("s3cret")).unwrap();
    let append = Append::new(meta()).stream(stream.clone(), Expected::New, vec![added(1)]).with(rows);
    log.append(append.clone()).await.unwrap();
    assert_eq!(vault.open(id).await.unwrap().expose(), b"s3cret");

    let (lost, rows) = vault.seal("host/token", secret("never")).unwrap();
    let conflict = Append::new(meta()).stream(stream, Expected::New, vec![added(1)]).with(rows);
    assert!(log.append(conflict).await.unwrap_err().is_conflict());
    assert!(matches!(vault.open(lost).await, Err(VaultError::Forgotten { id }) if id == lost));
}

async fn what_was_forgotten_is_gone(base: Base) {
    let log = base.log().await;
    let vault = vault(&log, OLD);
    let ids = sealed(&log, &vault, 2).await;
    assert!(vault.forget(ids[0]).await.unwrap());
    assert!(!vault.forget(ids[0]).await.unwrap());
    assert!(matches!(vault.open(ids[0]).await, Err(VaultError::Forgotten { .. })));
    assert_eq!(vault.open(ids[1]).await.unwrap().expose(), b"secret 1");
    assert_eq!(count(&log, "SELECT COUNT(*) FROM sealed").await, 1);
}

async fn a_changed_or_moved_row_does_not_open(base: Base) {
    let log = base.log().await;
    let vault = vault(&log, OLD);
    let ids = sealed(&log, &vault, 3).await;
    let (a, b, c) = (ids[0], ids[1], ids[2]);
    tamper(log.db(), &format!("UPDATE sealed SET record = 'test/0x' WHERE id = '{a}'")).await;
    let moved = Uuid::now_v7();
    tamper(log.db(), &format!("UPDATE sealed SET id = '{moved}' WHERE id = '{b}'")).await;
    tamper(log.db(), &format!("UPDATE sealed SET key_id = 'lost' WHERE id = '{c}'")).await;
    assert!(matches!(vault.open(a).await, Err(VaultError::Damaged { .. })));
    assert!(matches!(vault.open(SealedId::new(moved)).await, Err(VaultError::Damaged { .. })));
    let missing = vault.open(c).await.unwrap_err().to_string();
    assert!(missing.contains("`lost`") && missing.contains("GANTRY_VAULT_KEYS"), "{missing}");
    assert!(matches!(vault.check().await, Err(VaultError::NoSuchKey { key }) if key == "lost"));
}

async fn keys_are_rotated_and_the_old_one_thrown_away(base: Base) {
    let log = base.log().await;
    let ids = sealed(&log, &vault(&log, OLD), 450).await;
    let both = vault(&log, &format!("{NEW},{OLD}"));
    both.check().await.unwrap();
    let (one, other) = tokio::join!(both.rotate(), both.rotate());
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one.resealed + other.resealed, 450, "two at once do the work once");
    assert!(one.unreadable.is_empty() && other.unreadable.is_empty());
    assert_eq!(both.rotate().await.unwrap().resealed, 0);
    let only_new = vault(&log, NEW);
    only_new.check().await.unwrap();
    for (n, id) in ids.into_iter().enumerate() {
        assert_eq!(only_new.open(id).await.unwrap().expose(), format!("secret {n}").as_bytes());
    }
}

async fn a_rotation_leaves_what_it_cannot_open(base: Base) {
    let log = base.log().await;
    let ids = sealed(&log, &vault(&log, OLD), 3).await;
    tamper(log.db(), &format!("UPDATE sealed SET key_id = 'lost' WHERE id = '{}'", ids[1])).await;
    let rotated = vault(&log, &format!("{NEW},{OLD}")).rotate().await.unwrap();
    assert_eq!(rotated.resealed, 2);
    assert_eq!(rotated.unreadable.iter().map(|u| u.id.clone()).collect::<Vec<_>>(), [ids[1].to_string()]);
    assert!(matches!(&rotated.unreadable[0].why, VaultError::NoSuchKey { key } if key == "lost"));
    assert_eq!(count(&log, "SELECT COUNT(*) FROM sealed WHERE key_id = 'new'").await, 2);
}
