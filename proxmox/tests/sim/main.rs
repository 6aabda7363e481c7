//! The client and the shell against the simulator, over HTTPS and SSH as against a real host.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test code")]

mod console;
mod doctor;
mod images;
mod life;
mod load;
mod machines;
mod pve;
mod shell;
mod transport;
mod waiting;
