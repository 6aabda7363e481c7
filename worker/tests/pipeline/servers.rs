//! The servers that xtask starts for tests.
#![expect(clippy::disallowed_methods, reason = "xtask tells the tests where its servers are")]

use sqlx::{Connection as _, PgConnection};

/// Makes a database and says its URL.
pub(crate) async fn database(name: &str) -> String {
    let server = std::env::var("GANTRY_TEST_POSTGRES_URL").expect("run by `cargo xtask test`");
    let mut admin = PgConnection::connect(&server).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut admin).await.unwrap();
    let (front, _) = server.rsplit_once('/').filter(|(front, _)| !front.ends_with('/')).unwrap_or((&server, ""));
    format!("{front}/{name}")
}

pub(crate) fn redis() -> String {
    std::env::var("GANTRY_TEST_REDIS_URL").expect("run by `cargo xtask test`")
}
