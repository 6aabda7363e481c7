//! Queue and locks between processes that are killed, told to stop, and paused.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects by failing")]

mod leftovers;
mod locks;
mod process;
mod workers;
