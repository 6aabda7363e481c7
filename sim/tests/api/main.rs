//! The simulator's HTTPS API, held to what a real Proxmox VE answered.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects by failing")]

mod caller;
mod faults;
mod lifecycle;
mod replay;
