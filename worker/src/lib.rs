//! Doing: the engine that drives operations, the steps of every pipeline, sweeps.

mod adopt;
mod card;
mod context;
pub mod copies;
mod drift;
pub mod engine;
mod failure;
mod found;
pub mod guest;
pub mod hosts;
mod inventory;
pub mod nodes;
mod place;
mod preview;
pub mod progress;
mod step;
mod steps;
pub mod tools;
mod vmids;
mod waiting;

pub use adopt::imported;
pub use copies::Copies;
pub use drift::{Looked, Sweep};
pub use engine::Engine;
pub use inventory::inventory;
pub use nodes::Nodes;
pub use preview::preview;
pub use step::StepError;
pub use tools::{Settings, Tools};
