//! The fixed addresses that containers have, from the moment they are asked for until they are removed.

use std::sync::Arc;

use domain::{
    AccountId, ContainerId, HostId,
    container::{Container, ContainerEvent, ContainerSpec, Fixed, Lifecycle},
};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::{Conditions, Life, Row, Stamped, Table, ViewError};
use crate::{
    db::{Db, Tx, statements, with_db, with_tx},
    log,
};

/// Where one is that may come to be on any host.
const ANYWHERE: &str = "*";

statements! {
    one {
        HOLDER = "SELECT document FROM addresses WHERE id <> $1 AND (ipv4 = $2 OR ipv6 = $3)
                  AND ($4 = '*' OR place = $4 OR place = '*') LIMIT 1";
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressRow {
    pub container: ContainerId,
    pub account: Option<AccountId>,
    pub hostname: String,
    pub host: Option<HostId>,
    pub ipv4: Option<String>,
    pub ipv6: Option<String>,
}

impl Row for AddressRow {
    type Aggregate = Container;
    type Filter = ();

    const TABLE: Table = Table {
        name: "addresses",
        key: "id",
        columns: &["id", "place", "ipv4", "ipv6", "version", "created_at", "updated_at", "document"],
    };

    fn of(life: &Life, state: &Container, _: &[Stamped<ContainerEvent>]) -> Option<Self> {
        let request = state.request()?;
        let there = !matches!(state.lifecycle(), Lifecycle::Unknown | Lifecycle::Removed);
        let row = Self {
            container: life.stream.id().parse().ok()?,
            account: request.account,
            hostname: request.spec.hostname.clone(),
            host: request.spec.host_asked(),
            ipv4: key(request.spec.fixed_ipv4()),
            ipv6: key(request.spec.fixed_ipv6()),
        };
        (there && (row.ipv4.is_some() || row.ipv6.is_some())).then_some(row)
    }

    fn filters(&self) -> Vec<Option<String>> {
        vec![Some(place(self.host)), self.ipv4.clone(), self.ipv6.clone()]
    }

    fn conditions((): &()) -> Conditions {
        Conditions::default()
    }
}

fn key(fixed: Option<Fixed>) -> Option<String> {
    fixed.map(|fixed| fixed.key())
}

fn place(host: Option<HostId>) -> String {
    host.map_or_else(|| ANYWHERE.to_owned(), |host| host.to_string())
}

/// To go with an append that asks for a container: it is refused when another one has its address. The unique indexes
/// alone don't see that a container on any host may come to be on that of another.
#[must_use]
pub fn unshared(container: ContainerId, spec: &ContainerSpec) -> Option<Arc<dyn log::Rows>> {
    let wanted = Wanted::of(Some(container), spec)?;
    Some(Arc::new(wanted))
}

/// The container that has an address of the spec, which is not asked for yet.
///
/// # Errors
/// When the database can't be read.
pub async fn holder(db: &Db, spec: &ContainerSpec) -> Result<Option<AddressRow>, ViewError> {
    let Some(wanted) = Wanted::of(None, spec) else { return Ok(None) };
    let found: Option<String> = with_db!(db, pool => {
        sqlx::query_scalar(HOLDER).bind(&wanted.id).bind(&wanted.ipv4).bind(&wanted.ipv6).bind(&wanted.place)
            .fetch_optional(pool).await
    })?;
    found.map(|document| read(&wanted.id, &document)).transpose()
}

fn read(id: &str, document: &str) -> Result<AddressRow, ViewError> {
    serde_json::from_str(document).map_err(|source| ViewError::Row { view: "addresses", id: id.to_owned(), source })
}

struct Wanted {
    id: String,
    ipv4: Option<String>,
    ipv6: Option<String>,
    place: String,
}

impl Wanted {
    fn of(container: Option<ContainerId>, spec: &ContainerSpec) -> Option<Self> {
        let (ipv4, ipv6) = (key(spec.fixed_ipv4()), key(spec.fixed_ipv6()));
        let id = container.map(|id| id.to_string()).unwrap_or_default();
        (ipv4.is_some() || ipv6.is_some()).then(|| Self { id, ipv4, ipv6, place: place(spec.host_asked()) })
    }
}

impl log::Rows for Wanted {
    fn write<'a>(&'a self, tx: &'a mut Tx) -> BoxFuture<'a, Result<(), ViewError>> {
        Box::pin(async move {
            let found: Option<String> = with_tx!(tx, conn => {
                sqlx::query_scalar(HOLDER).bind(&self.id).bind(&self.ipv4).bind(&self.ipv6).bind(&self.place)
                    .fetch_optional(conn).await
            })?;
            match found {
                None => Ok(()),
                Some(document) => Err(ViewError::AddressTaken(read(&self.id, &document)?.container)),
            }
        })
    }
}
