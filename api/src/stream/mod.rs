//! Progress as it happens: stored records, read once per operation and fanned out to its watchers.

mod frame;
mod hub;
mod watch;

pub use frame::snapshot;
pub use hub::Hub;
pub use watch::{Begin, watch};
