//! The contract of the log, the read models, the series and the vault, on both databases.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects by failing")]

mod append;
mod crash;
mod follow;
mod inventory;
mod long;
mod migrate;
mod operations;
mod plans;
mod quotas;
mod records;
mod restart;
mod samples;
mod silent;
mod support;
mod tail;
mod time_travel;
mod transfer;
mod vault;
mod verify;
mod writers;
