//! Looks how Proxmox has what Gantry recorded, and what bears our marker although nobody has it.

mod judge;
mod strays;
mod sweep;

pub(crate) use judge::{Judged, judge};
pub(crate) use strays::why;
pub use sweep::{Looked, Sweep};
