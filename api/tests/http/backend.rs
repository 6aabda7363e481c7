//! What the server under test stands on: SQLite and this process, or Postgres and Redis when the suite is run again there.
#![expect(clippy::disallowed_methods, reason = "xtask tells the tests where its servers are")]

use std::path::Path;

use platform::coordination::Coordination;
use sqlx::{Connection as _, PgConnection};

/// Set for the second run of the suite.
const ON_SERVERS: &str = "GANTRY_TEST_API_ON_SERVERS";

pub(crate) fn on_servers() -> bool {
    std::env::var_os(ON_SERVERS).is_some()
}

fn server(name: &str) -> String {
    std::env::var(name).expect("run by `cargo xtask test`")
}

/// The same for the same directory.
pub(crate) async fn database(directory: &Path) -> String {
    if !on_servers() {
        return format!("sqlite:{}", directory.join("gantry.db").display());
    }
    let server = server("GANTRY_TEST_POSTGRES_URL");
    let name = format!("api_{}", hex(directory));
    let mut admin = PgConnection::connect(&server).await.unwrap();
    let there: Option<String> = sqlx::query_scalar("SELECT datname::text FROM pg_database WHERE datname = $1")
        .bind(&name)
        .fetch_optional(&mut admin)
        .await
        .unwrap();
    if there.is_none() {
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut admin).await.unwrap();
    }
    let (front, _) = server.rsplit_once('/').filter(|(front, _)| !front.ends_with('/')).unwrap_or((&server, ""));
    format!("{front}/{name}")
}

pub(crate) async fn coordination(directory: &Path) -> Coordination {
    if !on_servers() {
        return Coordination::in_process();
    }
    let prefix = format!("api:{}:", hex(directory));
    Coordination::connect(Some(&server("GANTRY_TEST_REDIS_URL")), &prefix).await.unwrap()
}

fn hex(directory: &Path) -> String {
    let name = directory.file_name().unwrap().to_string_lossy().into_owned();
    name.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// Everything else of this program, on the other backends.
#[test]
#[ignore = "needs Postgres and Redis: cargo xtask test"]
fn the_same_suite_holds_on_postgres_and_redis() {
    let itself = std::env::current_exe().unwrap();
    let ran = std::process::Command::new(itself).env(ON_SERVERS, "1").output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
}
