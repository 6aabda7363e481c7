//! Walking the chain: has anything been changed, removed or moved, and where first.

use std::collections::HashMap;

use domain::{Position, StreamId};

use super::{
    End, Log, hash,
    read::{self, Row},
};
use crate::db::{Db, DbError};

const CHUNK: i64 = 1000;

/// All is as it was appended. Whoever notes `end` elsewhere can see later that the log was not cut off or made anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub end: End,
}

/// The first thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    #[error("positions {} to {} were removed", from.0, to.0)]
    Removed { from: Position, to: Position },
    #[error("at position {}: the event was changed", at.0)]
    Changed { at: Position },
    #[error("at position {}: the order was changed, the event that belongs here stands at {}", at.0, found.0)]
    Moved { at: Position, found: Position },
    #[error("at position {}: events were removed and those after them renumbered, or everything from here on was changed", at.0)]
    Rewritten { at: Position },
    #[error("at position {}: {stream} goes from version {from} to {to}", at.0)]
    Version { at: Position, stream: StreamId, from: i64, to: i64 },
    #[error("the log ends at position {}, its head says {}: events at the end were removed, or added behind its back", end.0, head.0)]
    Head { end: Position, head: Position },
    #[error("the hash of the head is not that of the last event, at position {}", at.0)]
    HeadHash { at: Position },
}

#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error(transparent)]
    Damaged(#[from] Damage),
    #[error(transparent)]
    Db(#[from] DbError),
}

impl Log {
    /// # Errors
    /// The first damage there is; or the database can't be read.
    pub async fn verify(&self) -> Result<Verified, VerifyError> {
        // The head first: what is appended meanwhile lies after it.
        let (head, head_hash, _) = read::head_row(self.db()).await?;
        let mut walk = Walk::default();
        loop {
            let rows = read::rows_after(self.db(), walk.position, CHUNK).await?;
            let last = (rows.len() as i64) < CHUNK;
            for (index, row) in rows.iter().enumerate() {
                if walk.position == head && head_hash != walk.hash {
                    return Err(Damage::HeadHash { at: Position(head) }.into());
                }
                if let Err(damage) = walk.step(row) {
                    return Err(self.explain(damage, &walk, row, rows.get(index + 1)).await?.into());
                }
            }
            if last {
                break;
            }
        }
        if walk.position == head && head_hash != walk.hash {
            return Err(Damage::HeadHash { at: Position(head) }.into());
        }
        // Events after the head are new ones, if the head has moved meanwhile.
        let now = if walk.position > head { read::head_row(self.db()).await?.0 } else { head };
        if walk.position < head || walk.position > now {
            return Err(Damage::Head { end: Position(walk.position), head: Position(head) }.into());
        }
        Ok(Verified { end: End { position: Position(walk.position), hash: hex::encode(walk.hash) } })
    }

    async fn explain(&self, damage: Damage, walk: &Walk, row: &Row, next: Option<&Row>) -> Result<Damage, DbError> {
        let Damage::Changed { at } = damage else { return Ok(damage) };
        if let Some(found) = belongs_at(self.db(), walk, at.0).await? {
            return Ok(Damage::Moved { at, found: Position(found) });
        }
        let stored = hash::Hash::try_from(row.8.as_slice()).unwrap_or_default();
        let goes_on = next.is_none_or(|next| link(&stored, next) == Some(&next.8));
        Ok(if goes_on { Damage::Changed { at } } else { Damage::Rewritten { at } })
    }
}

/// Looks for an event further on that the chain expects here.
async fn belongs_at(db: &Db, walk: &Walk, at: i64) -> Result<Option<i64>, DbError> {
    let mut after = at;
    loop {
        let rows = read::rows_after(db, after, CHUNK).await?;
        for row in &rows {
            if own_link(&walk.hash, at, row).is_some_and(|link| link[..] == row.8) {
                return Ok(Some(row.0));
            }
            after = row.0;
        }
        if (rows.len() as i64) < CHUNK {
            return Ok(None);
        }
    }
}

fn own_link(before: &hash::Hash, position: i64, row: &Row) -> Option<hash::Hash> {
    let (_, stream, version, kind, kind_version, data, meta, recorded_at, _) = row;
    let body = hash::body(stream, kind, u16::try_from(*kind_version).ok()?, data, meta);
    Some(hash::link(before, position, *version, *recorded_at, &body))
}

/// The row's stored hash, if it follows from the hash before.
fn link<'a>(before: &hash::Hash, row: &'a Row) -> Option<&'a Vec<u8>> {
    own_link(before, row.0, row).filter(|link| link[..] == row.8).map(|_| &row.8)
}

/// How far the chain holds.
#[derive(Default)]
pub(super) struct Walk {
    pub position: i64,
    pub hash: hash::Hash,
    pub recorded_at: i64,
    versions: HashMap<String, i64>,
}

impl Walk {
    pub(super) fn step(&mut self, row: &Row) -> Result<(), Damage> {
        let at = Position(row.0);
        if row.0 != self.position + 1 {
            return Err(Damage::Removed { from: Position(self.position + 1), to: Position(row.0 - 1) });
        }
        let stored = link(&self.hash, row).ok_or(Damage::Changed { at })?;
        let version = match self.versions.get_mut(&row.1) {
            Some(version) => version,
            None => self.versions.entry(row.1.clone()).or_default(),
        };
        if row.2 != *version + 1 {
            return Err(Damage::Version {
                at,
                stream: StreamId::from_stored(row.1.clone()),
                from: *version,
                to: row.2,
            });
        }
        *version = row.2;
        self.hash = stored.as_slice().try_into().unwrap_or_default();
        (self.position, self.recorded_at) = (row.0, row.7);
        Ok(())
    }
}
