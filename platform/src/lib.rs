//! What every program of Gantry stands on: log, read models, queue, bus, locks, vault, settings.

pub mod catalogue;
