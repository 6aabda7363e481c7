//! Bringing all rows under the first key, so that the others can be thrown away.

use super::{Vault, VaultError, row, row::Kept};

/// Rows of one transaction: short enough that nobody waits for it.
const CHUNK: i64 = 200;

/// What a rotation came to. Every row is under the first key when nothing is unreadable.
#[derive(Debug, Default)]
pub struct Rotated {
    pub resealed: u64,
    /// Left as they were.
    pub unreadable: Vec<Unreadable>,
}

#[derive(Debug)]
pub struct Unreadable {
    pub id: String,
    /// Whose secret it is.
    pub record: String,
    pub why: VaultError,
}

impl Vault {
    /// Seals anew what is not under the first key. May be stopped and started again at any time, and run beside all other work.
    ///
    /// # Errors
    /// When the database can't be read or written; what was done until then stays done.
    pub async fn rotate(&self) -> Result<Rotated, VaultError> {
        let mut rotated = Rotated::default();
        let mut after = String::new();
        loop {
            let rows = row::others(&self.db, self.keys.first(), &after, CHUNK).await?;
            let Some(last) = rows.last() else { return Ok(rotated) };
            after.clone_from(&last.id);
            let mut tx = self.db.begin().await?;
            let mut resealed = 0;
            for kept in rows {
                match self.reseal(&kept) {
                    Ok(sealed) => resealed += u64::from(row::reseal(&mut tx, &kept, &sealed).await?),
                    Err(why) => rotated.unreadable.push(Unreadable { id: kept.id, record: kept.record, why }),
                }
            }
            tx.commit().await?;
            rotated.resealed += resealed;
        }
    }

    fn reseal(&self, kept: &Kept) -> Result<super::keys::Sealed, VaultError> {
        let id = kept.id.parse().map_err(|_| VaultError::Name { id: kept.id.clone() })?;
        let content = self.keys.open(id, &kept.record, &kept.sealed)?;
        self.keys.seal(id, &kept.record, content.expose())
    }
}
