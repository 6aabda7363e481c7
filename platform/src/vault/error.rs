//! What can go wrong with the vault; nothing here holds a secret.

use domain::SealedId;

use crate::db::DbError;

#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error("the secret {id} has been forgotten, or never was")]
    Forgotten { id: SealedId },
    #[error(
        "a secret is sealed with the key `{key}`, which GANTRY_VAULT_KEYS does not hold: add it behind the first key, then run `gantry keys rotate`"
    )]
    NoSuchKey { key: String },
    #[error(
        "the secret {id} does not open with its key `{key}`: the row was changed or the key is another one of the same name; restore the row from a backup"
    )]
    Damaged { id: SealedId, key: String },
    #[error("a sealed row has the id `{id}`, which is none: restore the row from a backup")]
    Name { id: String },
    #[error("the secret could not be sealed")]
    Seal,
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<sqlx::Error> for VaultError {
    fn from(error: sqlx::Error) -> Self {
        Self::Db(error.into())
    }
}
