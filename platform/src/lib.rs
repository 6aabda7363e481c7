//! What every program of Gantry stands on: log, read models, queue, bus, locks, vault, settings.

pub mod bootstrap;
pub mod catalogue;
pub mod clock;
pub mod db;
pub mod log;
pub mod series;
pub mod views;
