//! Simulated containers really run commands, and nothing but commands in them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    unreachable_pub,
    reason = "tests fail by panicking, and their parts are one program"
)]

mod exec;
mod host;
mod isolation;
mod killed;
mod ssh;
mod sshd;
mod standins;
mod terminal;
