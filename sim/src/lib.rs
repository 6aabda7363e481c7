//! A Proxmox VE host to develop, demonstrate and test against: the real paths, texts and troubles, in one process.

mod api;
mod clock;
mod faults;
pub mod guest;
mod model;
mod options;
mod pct;
mod refusal;
mod schema;
mod sim;
mod tasks;

pub use clock::Clock;
pub use faults::{Effect, Faults, Rule, When};
pub use model::seen::SeenGuest;
pub use model::world::World;
pub use options::Options;
pub use sim::{NodeAddress, Sim, SimError, start};
