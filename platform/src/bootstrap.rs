//! The token of the first start: whoever has it may do everything. Only its hash is kept.

use rand::Rng as _;
use sha2::{Digest as _, Sha256};

use crate::db::{Db, DbError, statements, with_db, with_tx};

statements! {
    one {
        READ = "SELECT value FROM settled WHERE name = 'bootstrap_token'";
        SETTLE = "INSERT INTO settled (name, value) VALUES ('bootstrap_token', $1) ON CONFLICT (name) DO NOTHING";
        REPLACE = "UPDATE settled SET value = $1 WHERE name = 'bootstrap_token'";
    }
}

/// What a start found or made.
pub struct Bootstrap {
    pub hash: [u8; 32],
    /// The token itself, when this start made it. To be shown once; it can't be found out again.
    pub fresh: Option<String>,
}

#[must_use]
pub fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// The hash of the token; makes one when there is none. Of several processes that start at once, one makes it.
///
/// # Errors
/// When the database can't be read or written.
pub async fn token(db: &Db) -> Result<Bootstrap, DbError> {
    if let Some(hash) = stored(db).await? {
        return Ok(Bootstrap { hash, fresh: None });
    }
    let token = make();
    write(db, SETTLE, &token).await?;
    let ours = hash(&token);
    let kept = stored(db).await?.unwrap_or(ours);
    Ok(Bootstrap { hash: kept, fresh: (kept == ours).then_some(token) })
}

/// A new token in place of the old one, which is valid no more after the next start of every process.
///
/// # Errors
/// When the database can't be read or written.
pub async fn replace(db: &Db) -> Result<String, DbError> {
    token(db).await?;
    let token = make();
    write(db, REPLACE, &token).await?;
    Ok(token)
}

async fn stored(db: &Db) -> Result<Option<[u8; 32]>, DbError> {
    let found: Option<String> = with_db!(db, pool => sqlx::query_scalar(READ).fetch_optional(pool).await)?;
    // A damaged hash admits nobody; `replace` mends it.
    Ok(found.map(|text| hex::decode(text).ok().and_then(|bytes| bytes.try_into().ok()).unwrap_or_default()))
}

async fn write(db: &Db, sql: &'static str, token: &str) -> Result<(), DbError> {
    let mut tx = db.begin().await?;
    let value = hex::encode(hash(token));
    with_tx!(&mut tx, conn => sqlx::query(sql).bind(value).execute(conn).await.map(drop))?;
    tx.commit().await
}

fn make() -> String {
    let mut secret = [0_u8; 32];
    rand::rng().fill_bytes(&mut secret);
    format!("gantry_{}", hex::encode(secret))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock, db::Options};

    #[tokio::test]
    async fn the_first_start_tells_the_token_and_no_later_one_does() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", directory.path().join("gantry.db").display());
        let db = Db::connect(&url, &Options::default()).await.unwrap();
        db.migrate(clock::now()).await.unwrap();
        let first = token(&db).await.unwrap();
        let told = first.fresh.unwrap();
        assert_eq!(hash(&told), first.hash);
        let second = token(&db).await.unwrap();
        assert!(second.fresh.is_none() && second.hash == first.hash);
        let other = replace(&db).await.unwrap();
        assert_eq!(token(&db).await.unwrap().hash, hash(&other));
        assert_ne!(other, told);
    }
}
