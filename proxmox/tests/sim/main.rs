//! The client and the shell against the simulator, over HTTPS and SSH as against a real host.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

mod doctor;
mod life;
mod pve;
mod shell;
mod transport;
mod waiting;
