//! What could not be read: a database that can't be reached for a while is no fault of the program's.

use platform::catalogue::CatalogueError;
use platform::db::DbError;
use platform::log::LogError;
use platform::series::records::RecordError;
use platform::vault::VaultError;
use platform::views::ViewError;

use crate::problem::{Kind, Problem};

pub(crate) fn unread(error: impl OfDb) -> Problem {
    if error.db().is_some_and(DbError::is_outage) {
        tracing::error!(%error, "the database can't be reached");
        return Problem::new(Kind::Unavailable);
    }
    Problem::internal(error)
}

/// The same, found by a part that tells of it in words for the log.
pub(crate) fn unknown(error: String) -> Problem {
    tracing::error!(%error, "our own records can't be read");
    Problem::new(Kind::Unavailable)
}

/// An error that may be the database's.
pub(crate) trait OfDb: std::fmt::Display {
    fn db(&self) -> Option<&DbError>;
}

impl OfDb for DbError {
    fn db(&self) -> Option<&DbError> {
        Some(self)
    }
}

macro_rules! of_db {
    ($($error:ident),*) => {
        $(impl OfDb for $error {
            fn db(&self) -> Option<&DbError> {
                if let Self::Db(error) = self { Some(error) } else { None }
            }
        })*
    };
}

of_db!(LogError, ViewError, CatalogueError, VaultError, RecordError);
