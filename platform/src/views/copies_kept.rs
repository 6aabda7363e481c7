//! How many copies of each container its account keeps. Backups outlive their container, and count until they are deleted.

use domain::{
    AccountId, ContainerId,
    container::{Container, ContainerEvent},
};
use serde::{Deserialize, Serialize};

use super::{Conditions, Life, Row, Stamped, Table};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopiesKeptRow {
    pub container: ContainerId,
    pub account: AccountId,
    pub snapshots: u64,
    pub backups: u64,
}

#[derive(Debug, Clone, Copy, Default)]
pub struct CopiesKeptFilter;

impl Row for CopiesKeptRow {
    type Aggregate = Container;
    type Filter = CopiesKeptFilter;

    const TABLE: Table = Table {
        name: "copies_kept",
        key: "id",
        columns: &["id", "account", "snapshots", "backups", "version", "created_at", "updated_at", "document"],
    };

    fn of(life: &Life, state: &Container, _: &[Stamped<ContainerEvent>]) -> Option<Self> {
        let (snapshots, backups) = (state.snapshots().count() as u64, state.backups().count() as u64);
        (snapshots + backups > 0).then_some(Self {
            container: life.stream.id().parse().ok()?,
            account: state.request()?.account?,
            snapshots,
            backups,
        })
    }

    fn filters(&self) -> Vec<Option<String>> {
        vec![Some(self.account.to_string()), Some(self.snapshots.to_string()), Some(self.backups.to_string())]
    }

    fn conditions(_: &CopiesKeptFilter) -> Conditions {
        Conditions::default()
    }
}
