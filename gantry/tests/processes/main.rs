//! APIs and workers as processes of their own, on Postgres and Redis, against a simulated cluster that has its bad days.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests say what they expect by failing")]

mod caller;
mod check;
mod cluster;
mod disk_full;
mod doctored;
mod evidence;
mod forgotten;
mod ground;
mod processes;
mod redis_away;
mod rolling;
#[path = "../run/mod.rs"]
mod run;
mod secrets;
mod storm;
#[path = "../../../worker/tests/pipeline/tiny.rs"]
mod tiny;
mod two_apis;
mod under_fire;
mod walk;
mod watching;
mod wire;
