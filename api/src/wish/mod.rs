//! The wish for a container: as the caller writes it, and as it is once the template's and our own defaults are in.

mod change;
mod create;
mod rebuild;
mod resolve;
mod schedule;

pub(crate) use change::{ChangeContainer, Resize, RootPassword};
pub(crate) use create::{Answer, CreateContainer, NetworkWish, ScriptsWish};
pub(crate) use rebuild::{RebuildContainer, TemplateOf};
pub(crate) use resolve::{Resolved, check_inputs, check_scripts, renamed, template_named};
pub(crate) use schedule::ScheduleWish;
