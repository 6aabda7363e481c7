//! The audit: every event that somebody did, asked by who, for whom, from where, to what and when. An index of the log;
//! what it answers with are the log's own events.

use chrono::{DateTime, Utc};
use domain::{AccountId, Actor, Recorded};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::{Conditions, Order, Table, View, ViewError, query};
use crate::{
    db::{Db, Tx, micros, statements, with_tx},
    log,
};

statements! {
    one {}
    two {
        NOTE =
            "INSERT INTO audit (position, at, actor, account, address, stream, category, kind)
             SELECT CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT), value ->> 2, value ->> 3, value ->> 4, value ->> 5,
                    value ->> 6, value ->> 7
             FROM json_array_elements(CAST($1 AS JSON)) AS asked(value) ON CONFLICT (position) DO NOTHING",
            "INSERT INTO audit (position, at, actor, account, address, stream, category, kind)
             SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7
             FROM json_each($1) WHERE true ON CONFLICT (position) DO NOTHING";
    }
}

/// What one can ask by; all of it together.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    pub account: Option<AccountId>,
    /// As an [`Actor`] writes itself: `user:…`, `key:…`, `bootstrap`.
    pub actor: Option<String>,
    pub address: Option<String>,
    /// A whole stream: `container-…`.
    pub stream: Option<String>,
    /// Everything of a sort: `container`.
    pub category: Option<String>,
    pub kinds: Vec<String>,
    pub since: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
}

/// A page of the audit.
///
/// # Errors
/// When the database can't be read, or an event in it.
pub async fn audit(
    db: &Db,
    filter: &AuditFilter,
    after: Option<i64>,
    order: Order,
    limit: u32,
) -> Result<Vec<Recorded>, ViewError> {
    let conditions = Conditions::default()
        .is("a.account", filter.account)
        .is("a.actor", filter.actor.as_ref())
        .is("a.address", filter.address.as_ref())
        .is("a.stream", filter.stream.as_ref())
        .is("a.category", filter.category.as_ref())
        .one_of("a.kind", &filter.kinds)
        .at(filter.since, filter.until)
        .past(after, order);
    let rows = query::recorded(db, conditions, order, limit.into()).await?;
    rows.into_iter().map(|row| log::recorded(row).map_err(|error| ViewError::Refused(error.to_string()))).collect()
}

/// Leaves out what Gantry did by itself, but for what it refused.
#[derive(Debug, Default)]
pub(super) struct AuditView;

impl View for AuditView {
    fn name(&self) -> &'static str {
        "audit"
    }

    fn categories(&self) -> &'static [&'static str] {
        &[]
    }

    fn follows(&self, _: &str) -> bool {
        true
    }

    fn tables(&self) -> &'static [Table] {
        &[Table {
            name: "audit",
            key: "position",
            columns: &["position", "at", "actor", "account", "address", "stream", "category", "kind"],
        }]
    }

    fn project<'a>(&'a self, tx: &'a mut Tx, events: &'a [&'a Recorded]) -> BoxFuture<'a, Result<(), ViewError>> {
        Box::pin(async move {
            let note = |event: &Recorded| {
                json!([
                    event.position.0,
                    micros(event.recorded_at),
                    event.meta.actor.to_string(),
                    event.meta.account,
                    event.meta.address,
                    event.stream.as_str(),
                    event.stream.category(),
                    event.kind,
                ])
            };
            let notes: Vec<Value> =
                events.iter().filter(|event| is_somebodys(event)).map(|event| note(event)).collect();
            if notes.is_empty() {
                return Ok(());
            }
            let (sql, notes) = (NOTE.in_tx(tx), Value::from(notes).to_string());
            with_tx!(tx, conn => sqlx::query(sql).bind(notes).execute(conn).await.map(drop))?;
            Ok(())
        })
    }
}

fn is_somebodys(event: &Recorded) -> bool {
    // What we do because somebody unknown asked for it bears their address.
    !matches!(event.meta.actor, Actor::System { .. })
        || event.meta.address.is_some()
        || event.stream.category() == "access"
}
