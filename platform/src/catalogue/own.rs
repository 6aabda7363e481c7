//! The files of the templates that accounts made through the API.

use std::sync::Arc;

use domain::AccountId;
use domain::template::Template;
use futures_util::future::BoxFuture;

use super::{Catalogue, CatalogueError, Files, Found, archive, read_files, versions};
use crate::db::{Tx, statements, with_db, with_tx};
use crate::log::Rows;
use crate::views::ViewError;

statements! {
    one {
        KEEP = "INSERT INTO own_templates (account, name, packed) VALUES ($1, $2, $3)
                ON CONFLICT (account, name) DO UPDATE SET packed = excluded.packed";
        DROP = "DELETE FROM own_templates WHERE account = $1 AND name = $2";
        READ = "SELECT packed FROM own_templates WHERE account = $1 AND name = $2";
        ALL = "SELECT name, packed FROM own_templates WHERE account = $1 ORDER BY name";
    }
}

impl Catalogue {
    /// An account's own template of this name.
    ///
    /// # Errors
    /// When the database can't be read, or what is in it.
    pub async fn own(&self, account: AccountId, name: &str) -> Result<Option<Arc<Found>>, CatalogueError> {
        let files = self.own_files(account, name).await?;
        Ok(files.map(|files| Arc::new(Found::from(read_files(name, files)))))
    }

    /// Its files, as they were given.
    ///
    /// # Errors
    /// When the database can't be read, or what is in it.
    pub async fn own_files(&self, account: AccountId, name: &str) -> Result<Option<Files>, CatalogueError> {
        let account = account.to_string();
        let packed: Option<String> = with_db!(self.db(), pool =>
            sqlx::query_scalar(READ).bind(&account).bind(name).fetch_optional(pool).await)
        .map_err(crate::db::DbError::from)?;
        packed.map(|packed| unpacked(name, &packed)).transpose()
    }

    /// All of an account's own templates, by name.
    ///
    /// # Errors
    /// When the database can't be read, or what is in it.
    pub async fn own_list(&self, account: AccountId) -> Result<Vec<Found>, CatalogueError> {
        let account = account.to_string();
        let rows: Vec<(String, String)> =
            with_db!(self.db(), pool => sqlx::query_as(ALL).bind(&account).fetch_all(pool).await)
                .map_err(crate::db::DbError::from)?;
        let read = |(name, packed): (String, String)| {
            let files = unpacked(&name, &packed)?;
            Ok(Found::from(read_files(&name, files)))
        };
        rows.into_iter().map(read).collect()
    }
}

fn unpacked(name: &str, packed: &str) -> Result<Files, CatalogueError> {
    let damaged = || CatalogueError::OwnDamaged { name: name.to_owned() };
    let bytes = hex::decode(packed).map_err(|_| damaged())?;
    archive::unpack(&bytes).map(|(_, files)| files).map_err(|_| damaged())
}

/// What stores an own template and the version that it is now; to be written with the event that names it.
///
/// # Errors
/// When a file's path is too long to be packed.
pub fn own_rows(
    account: AccountId,
    template: &Template,
    hash: &str,
    files: &Files,
) -> Result<[Arc<dyn Rows>; 2], archive::ArchiveError> {
    let packed = hex::encode(archive::pack(&template.name, files)?);
    let own = Own { account: account.to_string(), name: template.name.clone(), packed: Some(packed) };
    Ok([Arc::new(own), Arc::new(versions::of(template, hash))])
}

/// What takes it out again. Its versions stay: containers were made from them.
#[must_use]
pub fn own_removed(account: AccountId, name: &str) -> Arc<dyn Rows> {
    Arc::new(Own { account: account.to_string(), name: name.to_owned(), packed: None })
}

struct Own {
    account: String,
    name: String,
    /// Nothing: it is removed.
    packed: Option<String>,
}

impl Rows for Own {
    fn write<'a>(&'a self, tx: &'a mut Tx) -> BoxFuture<'a, Result<(), ViewError>> {
        Box::pin(async move {
            match &self.packed {
                Some(packed) => with_tx!(tx, conn => sqlx::query(KEEP).bind(&self.account).bind(&self.name)
                    .bind(packed).execute(conn).await.map(drop))?,
                None => with_tx!(tx, conn => sqlx::query(DROP).bind(&self.account).bind(&self.name)
                    .execute(conn).await.map(drop))?,
            }
            Ok(())
        })
    }
}
