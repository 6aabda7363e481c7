//! The containers that are being cloned: for that time nobody else works on them. Written with the clone's own events,
//! so that both its container and its source are taken in one append, or neither is.

use std::sync::Arc;

use domain::{
    ContainerId, OperationId, Recorded,
    operation::{Command, OperationEvent},
};
use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

use super::{Table, View, ViewError};
use crate::{
    db::{Db, Tx, statements, with_db, with_tx},
    log,
};

statements! {
    one {
        TAKE = "INSERT INTO clone_sources (id, container, held) VALUES ($1, $2, 'yes') ON CONFLICT (id) DO NOTHING";
        CLONED = "SELECT id FROM clone_sources WHERE container = $1 AND held = 'yes' AND id <> $2 LIMIT 1";
        AT_WORK = "SELECT id FROM operations WHERE target = $1 AND id <> $2 AND status IN ('queued', 'running') LIMIT 1";
    }
    two {
        HOLD =
            "UPDATE clone_sources SET held = (CAST($1 AS JSON) ->> id)
             WHERE id = ANY (ARRAY (SELECT json_object_keys(CAST($1 AS JSON))))",
            "UPDATE clone_sources SET held = ($1 ->> id) WHERE id IN (SELECT key FROM json_each($1))";
    }
}

#[derive(Debug, Default)]
pub(super) struct CloneSources;

impl View for CloneSources {
    fn name(&self) -> &'static str {
        "clone_sources"
    }

    fn categories(&self) -> &'static [&'static str] {
        &["operation"]
    }

    fn tables(&self) -> &'static [Table] {
        &[Table { name: "clone_sources", key: "id", columns: &["id", "container", "held"] }]
    }

    fn project<'a>(&'a self, tx: &'a mut Tx, events: &'a [&'a Recorded]) -> BoxFuture<'a, Result<(), ViewError>> {
        Box::pin(async move {
            let mut holds = Map::new();
            for recorded in events {
                let id = recorded.stream.id();
                let held = match recorded.kind.as_str() {
                    "operation.accepted" => {
                        if let Some(source) = source(recorded)? {
                            let source = source.to_string();
                            with_tx!(&mut *tx, conn => {
                                sqlx::query(TAKE).bind(id).bind(&source).execute(conn).await.map(drop)
                            })?;
                        }
                        continue;
                    }
                    "operation.succeeded" | "operation.failed" | "operation.cancelled" | "operation.stuck" => "no",
                    "operation.retry_requested" => "yes",
                    _ => continue,
                };
                holds.insert(id.to_owned(), held.into());
            }
            if holds.is_empty() {
                return Ok(());
            }
            let (sql, holds) = (HOLD.in_tx(tx), Value::from(holds).to_string());
            with_tx!(tx, conn => sqlx::query(sql).bind(holds).execute(conn).await.map(drop))?;
            Ok(())
        })
    }
}

fn source(recorded: &Recorded) -> Result<Option<ContainerId>, ViewError> {
    let read = recorded.event::<OperationEvent>();
    let read =
        read.map_err(|source| ViewError::Event { view: "clone_sources", position: recorded.position, source })?;
    Ok(match read {
        OperationEvent::Accepted(accepted) => accepted.command.clones(),
        _ => None,
    })
}

/// To go with an append that accepts an operation, or takes it up again: it is refused while somebody clones its
/// container, and a clone's while somebody works on its source. What only comes to be is free.
#[must_use]
pub fn free(operation: OperationId, command: &Command) -> Option<Arc<dyn log::Rows>> {
    let (target, source) = (command.existing(), command.clones());
    (target.is_some() || source.is_some()).then(|| Arc::new(Free { operation, target, source }) as Arc<dyn log::Rows>)
}

struct Free {
    operation: OperationId,
    target: Option<ContainerId>,
    source: Option<ContainerId>,
}

impl log::Rows for Free {
    fn write<'a>(&'a self, tx: &'a mut Tx) -> BoxFuture<'a, Result<(), ViewError>> {
        Box::pin(async move {
            let own = self.operation.to_string();
            let mut asked: Vec<_> = self.target.into_iter().map(|target| (CLONED, target)).collect();
            asked.extend(self.source.into_iter().flat_map(|source| [(CLONED, source), (AT_WORK, source)]));
            for (sql, container) in asked {
                let container = container.to_string();
                let found: Option<String> = with_tx!(&mut *tx, conn => {
                    sqlx::query_scalar(sql).bind(&container).bind(&own).fetch_optional(conn).await
                })?;
                if let Some(holder) = found {
                    return Err(ViewError::AtWork { container, holder });
                }
            }
            Ok(())
        })
    }
}

/// The clone that is being made of the container.
///
/// # Errors
/// When the database can't be read.
pub async fn clone_of(db: &Db, container: ContainerId) -> Result<Option<OperationId>, ViewError> {
    let container = container.to_string();
    let found: Option<String> =
        with_db!(db, pool => sqlx::query_scalar(CLONED).bind(&container).bind("").fetch_optional(pool).await)?;
    Ok(found.and_then(|id| id.parse().ok()))
}
