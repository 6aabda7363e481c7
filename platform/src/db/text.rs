//! SQL constants, so declared that a test can prepare every one of them on both databases.

use super::{Db, Tx};

/// A statement that deserves the better dialect on each side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    pub postgres: &'static str,
    pub sqlite: &'static str,
}

impl Text {
    #[must_use]
    pub fn in_tx(&self, tx: &Tx) -> &'static str {
        match tx {
            Tx::Postgres(_) => self.postgres,
            Tx::Sqlite(_) => self.sqlite,
        }
    }

    #[must_use]
    pub fn on(&self, db: &Db) -> &'static str {
        match db {
            Db::Postgres(_) => self.postgres,
            Db::Sqlite(_) => self.sqlite,
        }
    }
}

/// Declares a module's statements, those of one text and those of two, and lists them for the test.
macro_rules! statements {
    (one { $($one:ident = $sql:expr;)* } $(two { $($two:ident = $postgres:expr, $sqlite:expr;)* })?) => {
        $(const $one: &str = $sql;)*
        $($(const $two: $crate::db::Text = $crate::db::Text { postgres: $postgres, sqlite: $sqlite };)*)?
        #[cfg(test)]
        pub(crate) const STATEMENTS: &[(&str, $crate::db::Text)] = &[
            $((stringify!($one), $crate::db::Text { postgres: $one, sqlite: $one }),)*
            $($((stringify!($two), $two),)*)?
        ];
    };
}
pub(crate) use statements;

#[cfg(test)]
mod tests {
    use sqlx::{Executor as _, SqlSafeStr as _};

    use super::Text;
    use crate::{
        bootstrap, catalogue, clock,
        db::{self, Db, Options},
        log, people, series, vault, views,
    };

    /// Every module that declares statements; `nothing_is_declared_elsewhere` keeps it whole.
    const MODULES: &[&[(&str, Text)]] = &[
        bootstrap::STATEMENTS,
        catalogue::own::STATEMENTS,
        catalogue::versions::STATEMENTS,
        db::migrate::STATEMENTS,
        log::follow::STATEMENTS,
        log::read::STATEMENTS,
        log::sweep::STATEMENTS,
        log::write::STATEMENTS,
        people::identities::STATEMENTS,
        people::invitations::STATEMENTS,
        people::key_uses::STATEMENTS,
        people::owned::STATEMENTS,
        people::profiles::STATEMENTS,
        people::quota::STATEMENTS,
        people::second_factor::STATEMENTS,
        people::sessions::STATEMENTS,
        people::setup::STATEMENTS,
        series::records::STATEMENTS,
        series::samples::STATEMENTS,
        vault::row::STATEMENTS,
        views::lines::STATEMENTS,
        views::addresses::STATEMENTS,
        views::audit::STATEMENTS,
        views::clone_sources::STATEMENTS,
        views::fold::STATEMENTS,
    ];

    async fn prepare(url: &str) {
        let db = Db::connect(url, &Options::default()).await.unwrap();
        db.migrate(clock::now()).await.unwrap();
        for (name, text) in MODULES.iter().copied().flatten() {
            let sql = text.on(&db).into_sql_str();
            let prepared = match &db {
                Db::Postgres(server) => server.pool.prepare(sql).await.map(drop),
                Db::Sqlite(lite) => lite.read.prepare(sql).await.map(drop),
            };
            assert!(prepared.is_ok(), "{name} on {}: {prepared:?}", db.engine());
        }
    }

    #[tokio::test]
    async fn every_statement_is_prepared_on_sqlite() {
        let directory = tempfile::tempdir().unwrap();
        prepare(&format!("sqlite:{}", directory.path().join("gantry.db").display())).await;
    }

    #[tokio::test]
    #[ignore = "needs Postgres: cargo xtask test"]
    #[expect(clippy::disallowed_methods, reason = "xtask tells the tests where its servers are")]
    async fn every_statement_is_prepared_on_postgres() {
        let server = std::env::var("GANTRY_TEST_POSTGRES_URL").unwrap();
        let admin = Db::connect(&server, &Options::default()).await.unwrap();
        let Db::Postgres(admin) = admin else { panic!("{server} is no Postgres") };
        let name = format!("statements_{}", uuid::Uuid::now_v7().simple());
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&admin.pool).await.unwrap();
        let (front, _) = server.rsplit_once('/').unwrap();
        prepare(&format!("{front}/{name}")).await;
    }

    #[test]
    fn nothing_is_declared_elsewhere() {
        fn declaring(directory: &std::path::Path) -> usize {
            let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
            entries
                .map(|path| match path.is_dir() {
                    true => declaring(&path),
                    false => {
                        usize::from(std::fs::read_to_string(path).unwrap().lines().any(|line| line == "statements! {"))
                    }
                })
                .sum()
        }
        let sources = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        assert_eq!(declaring(&sources), MODULES.len(), "a module with statements is missing in MODULES");
    }
}
