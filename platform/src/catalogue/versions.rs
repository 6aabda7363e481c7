//! Each version that a container got, by the hash of its content.

use std::sync::Arc;

use domain::template::Template;
use futures_util::future::BoxFuture;

use crate::db::{Db, DbError, Tx, statements, with_db, with_tx};
use crate::log::Rows;
use crate::views::ViewError;

statements! {
    one {
        KEEP = "INSERT INTO template_versions (hash, name, content) VALUES ($1, $2, $3) ON CONFLICT (hash) DO NOTHING";
        READ = "SELECT content FROM template_versions WHERE hash = $1";
    }
}

/// Written with the event that names it.
pub(super) struct Kept {
    pub(super) hash: String,
    pub(super) name: String,
    pub(super) content: Arc<str>,
}

impl Rows for Kept {
    fn write<'a>(&'a self, tx: &'a mut Tx) -> BoxFuture<'a, Result<(), ViewError>> {
        Box::pin(async move {
            with_tx!(tx, conn => sqlx::query(KEEP).bind(&self.hash).bind(&self.name).bind(&*self.content)
                .execute(conn).await.map(drop))?;
            Ok(())
        })
    }
}

pub(super) async fn read(db: &Db, hash: &str) -> Result<Option<String>, DbError> {
    Ok(with_db!(db, pool => sqlx::query_scalar(READ).bind(hash).fetch_optional(pool).await)?)
}

pub(super) fn of(template: &Template, hash: &str) -> Kept {
    // A template is plain data; writing it as JSON can't fail.
    let content = serde_json::to_string(template).unwrap_or_default();
    Kept { hash: hash.to_owned(), name: template.name.clone(), content: content.into() }
}
