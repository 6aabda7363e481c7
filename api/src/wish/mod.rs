//! The wish for a container: as the caller writes it, and as it is once the template's and our own defaults are in.

mod change;
mod create;
mod resolve;
mod schedule;

pub(crate) use change::{ChangeContainer, Resize, RootPassword};
pub(crate) use create::{CreateContainer, NetworkWish};
pub(crate) use resolve::{Resolved, renamed};
pub(crate) use schedule::ScheduleWish;
