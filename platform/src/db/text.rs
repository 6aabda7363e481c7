//! SQL constants, so declared that a test can prepare every one of them on both databases.

use super::{Db, Tx};

/// A statement that deserves the better dialect on each side.
#[derive(Debug, Clone, Copy)]
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
