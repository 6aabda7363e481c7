//! What every program of Gantry stands on: log, read models, queue, bus, locks, vault, settings.

pub mod bootstrap;
pub mod bus;
pub mod catalogue;
pub mod clock;
pub mod coordination;
pub mod db;
pub mod lock;
pub mod log;
pub mod queue;
pub mod series;
mod task;
pub mod vault;
pub mod views;
