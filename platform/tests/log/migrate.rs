use domain::Position;
use futures_util::future::join_all;
use platform::{
    clock::{self, Clock},
    db::{Db, DbError, LATEST, Options},
    log::{Log, LogError},
};

use crate::support::{Base, append, counter, on_both, tamper};
use platform::log::Expected;

on_both![
    migrating_twice_does_nothing,
    several_processes_migrate_at_once,
    a_newer_schema_is_refused,
    a_changed_migration_is_refused,
    an_unmigrated_database_says_what_to_run,
    a_damaged_event_is_named,
];

async fn migrating_twice_does_nothing(base: Base) {
    let db = base.db().await;
    assert_eq!(db.migrate(clock::now()).await.unwrap().applied.len() as i64, LATEST);
    assert!(db.migrate(clock::now()).await.unwrap().applied.is_empty());
}

async fn several_processes_migrate_at_once(base: Base) {
    let applied =
        join_all((0..6).map(|_| async { base.db().await.migrate(clock::now()).await.unwrap().applied.len() as i64 }))
            .await;
    assert_eq!(applied.iter().sum::<i64>(), LATEST, "{applied:?}");
}

async fn a_newer_schema_is_refused(base: Base) {
    let db = base.db().await;
    db.migrate(clock::now()).await.unwrap();
    tamper(&db, "INSERT INTO schema_migrations VALUES (9999, 'future', '', 0)").await;
    let refused = db.migrate(clock::now()).await.unwrap_err();
    assert!(
        matches!(refused, DbError::NewerSchema { found: 9999, .. }) && refused.to_string().contains("newer gantry"),
        "{refused}"
    );
    assert!(matches!(Log::open(db, Vec::new(), Clock::system()).await, Err(LogError::Db(DbError::NewerSchema { .. }))));
}

async fn a_changed_migration_is_refused(base: Base) {
    let db = base.db().await;
    db.migrate(clock::now()).await.unwrap();
    tamper(&db, "UPDATE schema_migrations SET checksum = 'x' WHERE number = 1").await;
    assert!(matches!(db.migrate(clock::now()).await, Err(DbError::ChangedMigration { number: 1, .. })));
}

async fn an_unmigrated_database_says_what_to_run(base: Base) {
    let refused = Log::open(base.db().await, Vec::new(), Clock::system()).await.unwrap_err().to_string();
    assert!(refused.contains("gantry migrate"), "{refused}");
}

async fn a_damaged_event_is_named(base: Base) {
    let log = base.log().await;
    log.append(append(&counter(), Expected::New, 3)).await.unwrap();
    tamper(log.db(), "UPDATE log SET data = '{\"half' WHERE position = 2").await;
    let error = log.read(Position(0), 10).await.unwrap_err().to_string();
    assert!(error.contains("position 2") && error.contains("gantry log verify"), "{error}");
}

#[tokio::test]
async fn an_url_of_neither_kind_and_a_database_that_is_not_there() {
    let connect = async |url: &str| Db::connect(url, &Options::default()).await.unwrap_err().to_string();
    assert!(connect("mysql://x").await.contains("sqlite:"));
    assert!(connect("sqlite:/nowhere/at/all/gantry.db").await.contains("/nowhere/at/all"));
    let refused = connect("postgres://someone:secretword@127.0.0.1:1/gantry").await;
    assert!(refused.contains("127.0.0.1:1") && !refused.contains("secretword"), "{refused}");
}

/// Both databases end with the same tables and columns, whatever texts made them.
#[tokio::test]
#[ignore = "needs Postgres: cargo xtask test"]
async fn both_databases_have_the_same_columns() {
    let (lite, postgres) = (Base::sqlite().await.log().await, Base::postgres().await.log().await);
    let Db::Sqlite(lite) = lite.db() else { panic!() };
    let Db::Postgres(postgres) = postgres.db() else { panic!() };
    let of_lite: Vec<(String, String)> = sqlx::query_as(
        "SELECT t.name, c.name FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table' ORDER BY t.name, c.cid",
    )
    .fetch_all(&lite.read)
    .await
    .unwrap();
    let of_postgres: Vec<(String, String)> = sqlx::query_as(
        "SELECT table_name::text, column_name::text FROM information_schema.columns WHERE table_schema = 'public'
         ORDER BY table_name COLLATE \"C\", ordinal_position",
    )
    .fetch_all(&postgres.pool)
    .await
    .unwrap();
    assert_eq!(of_lite, of_postgres);
}
