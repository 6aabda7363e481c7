//! The shell against real OpenSSH.
#![allow(clippy::unwrap_used, clippy::expect_used, unreachable_pub, reason = "a test says what it expects by failing")]

mod commands;
mod connection;
mod ending;
mod guests;
mod scripts;
mod secrets;
mod simulated;
mod sshd;
