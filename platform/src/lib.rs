//! What every program of Gantry stands on: log, read models, queue, bus, locks, vault, settings.

pub mod bootstrap;
pub mod bus;
pub mod catalogue;
pub mod clock;
pub mod config;
pub mod coordination;
pub mod db;
pub mod health;
pub mod instance;
pub mod limit;
pub mod lock;
pub mod log;
pub mod mail;
pub mod metrics;
pub mod people;
pub mod queue;
pub mod sabotage;
pub mod series;
pub mod shutdown;
mod task;
pub mod telemetry;
pub mod traces;
pub mod vault;
pub mod views;
