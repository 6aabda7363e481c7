//! What answers look like. The domain's types may change; these are promises.

pub(crate) mod account;
pub(crate) mod bucket;
pub(crate) mod bulk;
pub mod container;
pub mod copy;
pub mod drift;
pub mod host;
pub mod operation;
pub mod operation_row;
mod operation_steps;
pub mod plan;
mod readme;
pub mod schedule;
pub mod template;
pub(crate) mod version;
