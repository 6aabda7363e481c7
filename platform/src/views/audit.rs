//! The audit: every event that somebody did, asked by who, for whom, from where, to what and when. An index of the log;
//! what it answers with are the log's own events.

use chrono::{DateTime, Utc};
use domain::{AccountId, Actor, Recorded};
use futures_util::future::BoxFuture;

use super::{Conditions, Order, Table, View, ViewError, query};
use crate::{
    db::{Db, Tx, micros, statements, with_tx},
    log,
};

statements! {
    one {
        NOTE = "INSERT INTO audit (position, at, actor, account, address, stream, category, kind)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (position) DO NOTHING";
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
            for event in events.iter().filter(|event| is_somebodys(event)) {
                let meta = &event.meta;
                with_tx!(&mut *tx, conn => sqlx::query(NOTE)
                    .bind(event.position.0)
                    .bind(micros(event.recorded_at))
                    .bind(meta.actor.to_string())
                    .bind(meta.account.map(|id| id.to_string()))
                    .bind(meta.address.as_deref())
                    .bind(event.stream.as_str())
                    .bind(event.stream.category())
                    .bind(&event.kind)
                    .execute(conn).await.map(drop))?;
            }
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
