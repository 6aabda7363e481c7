//! Secrets, sealed: what an event may name but not tell.
//!
//! A row is bound to its key, its id and its record; whoever moves a ciphertext to another row gets nothing out of it.

mod error;
mod key_file;
mod keys;
mod rotate;
pub(crate) mod row;
mod secret;

use std::sync::Arc;

use domain::SealedId;
use uuid::Uuid;

pub use error::VaultError;
pub use key_file::{KeyFile, KeyFileError};
pub use keys::{Keys, KeysError, new_key};
pub use rotate::{Rotated, Unreadable};
pub use secret::{NotText, SecretBytes, SecretText};

use crate::{clock::Clock, db::Db, log::Rows};
use row::Row;

/// Seals and opens. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    db: Db,
    keys: Keys,
    clock: Clock,
}

impl Vault {
    #[must_use]
    pub fn new(db: Db, keys: Keys, clock: Clock) -> Self {
        Self { db, keys, clock }
    }

    /// Seals the content. The row has still to be written: hand it to the append of the event that names it.
    /// `record` says what it is of ("host-…/token"), for people who look at the table.
    ///
    /// # Errors
    /// When the system gives no random numbers, or the content is over 64 GiB.
    pub fn seal(&self, record: &str, content: SecretBytes) -> Result<(SealedId, Arc<dyn Rows>), VaultError> {
        let id = SealedId::new(Uuid::now_v7());
        let sealed = self.keys.seal(id, record, content.expose())?;
        Ok((id, Arc::new(Row { id, record: record.to_owned(), sealed, created_at: self.clock.now() })))
    }

    /// # Errors
    /// When there is no such row, its key is not among ours, it was changed, or the database can't be read.
    pub async fn open(&self, id: SealedId) -> Result<SecretBytes, VaultError> {
        let row = row::read(&self.db, id).await?.ok_or(VaultError::Forgotten { id })?;
        self.keys.open(id, &row.record, &row.sealed)
    }

    /// Deletes the row; says whether there was one. Whatever names it names nothing from then on.
    ///
    /// # Errors
    /// When the database can't be written.
    pub async fn forget(&self, id: SealedId) -> Result<bool, VaultError> {
        row::delete(&self.db, id).await
    }

    /// Finds out at the start, rather than in the middle of an operation, that a key is missing.
    ///
    /// # Errors
    /// When some row is sealed with a key that is not among ours, or the database can't be read.
    pub async fn check(&self) -> Result<(), VaultError> {
        match row::key_ids(&self.db).await?.into_iter().find(|key| !self.keys.has(key)) {
            Some(key) => Err(VaultError::NoSuchKey { key }),
            None => Ok(()),
        }
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("keys", &self.keys).finish_non_exhaustive()
    }
}
