//! What tests and benches stand on: private servers that clean up after themselves, and one way to print figures.

pub mod bench;
pub mod servers;
