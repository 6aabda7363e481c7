//! Read models: tables made from the log, in the append's transaction, that can be dropped and replayed.

mod accounts;
pub mod addresses;
mod api_keys;
pub mod audit;
pub mod clone_sources;
mod containers;
mod copies_kept;
mod drift;
pub(crate) mod fold;
mod hosts;
pub(crate) mod lines;
mod memberships;
mod operations;
mod orphans;
mod progress;
mod query;
mod reservations;
pub(crate) mod row;
mod schedules;
mod users;
mod view;
mod vmids;

use std::sync::Arc;

use domain::Recorded;

pub use accounts::{AccountFilter, AccountRow};
pub use api_keys::{ApiKeyFilter, ApiKeyRow};
pub use containers::{ContainerFilter, ContainerRow};
pub use copies_kept::{CopiesKeptFilter, CopiesKeptRow};
pub use drift::{DriftFilter, DriftRow};
pub use hosts::{HostFilter, HostRow};
pub use lines::{ahead_in_line, in_line, next_in_line};
pub use memberships::{MemberFilter, MemberRow};
pub use operations::{OperationFilter, OperationRow};
pub use orphans::{OrphanFilter, OrphanRow};
pub use query::{Conditions, Cursor, MOST, NotACursor, Order, Page, Paged, Sort, Values, get, page};
pub use reservations::{ReservationFilter, ReservationRow};
pub use row::{Life, Row, Rows, Stamped};
pub use schedules::{ScheduleFilter, ScheduleRow, Scheduled};
pub use users::{UserFilter, UserRow};
pub use view::{Table, View, ViewError};
pub use vmids::{VmidFilter, VmidRow};

use crate::db::Tx;

/// Every read model that Gantry keeps; what the log is opened with.
#[must_use]
pub fn all() -> Vec<Arc<dyn View>> {
    vec![
        Arc::new(Rows::<OperationRow>::default()),
        Arc::new(progress::ProgressView::default()),
        Arc::new(clone_sources::CloneSources),
        Arc::new(Rows::<ContainerRow>::default()),
        Arc::new(Rows::<HostRow>::default()),
        Arc::new(Rows::<VmidRow>::default()),
        Arc::new(Rows::<ScheduleRow>::default()),
        Arc::new(Rows::<addresses::AddressRow>::default()),
        Arc::new(Rows::<DriftRow>::default()),
        Arc::new(Rows::<OrphanRow>::default()),
        Arc::new(Rows::<AccountRow>::default()),
        Arc::new(Rows::<MemberRow>::default()),
        Arc::new(Rows::<UserRow>::default()),
        Arc::new(Rows::<ApiKeyRow>::default()),
        Arc::new(Rows::<ReservationRow>::default()),
        Arc::new(Rows::<CopiesKeptRow>::default()),
        Arc::new(audit::AuditView),
    ]
}

/// Hands each view the events of its categories; for replay and import, so without those that are not replayed.
pub(crate) async fn project_all(views: &[Arc<dyn View>], tx: &mut Tx, events: &[Recorded]) -> Result<(), ViewError> {
    for view in views.iter().filter(|view| view.replayed()) {
        project(&**view, tx, events).await?;
    }
    Ok(())
}

pub(crate) async fn project(view: &dyn View, tx: &mut Tx, events: &[Recorded]) -> Result<(), ViewError> {
    let followed: Vec<&Recorded> = events.iter().filter(|event| view.follows(event.stream.category())).collect();
    if followed.is_empty() { Ok(()) } else { view.project(tx, &followed).await }
}
