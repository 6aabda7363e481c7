//! The API over real HTTP, on SQLite, with queue and bus in this process. No worker runs: tests do its part by hand.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests say what they expect by failing")]

mod access;
mod actions;
mod adopt;
mod api_keys;
mod audit;
mod backend;
mod bad_input;
mod browsers;
mod bulk;
mod changes;
mod containers;
mod copies;
mod deletions;
mod documented;
mod drift;
mod events;
mod fuzz;
mod hosts;
mod limits;
mod mailbox;
mod newcomers;
mod operations;
mod own_templates;
mod people;
mod plans;
mod provider;
mod quotas;
mod rates;
mod rebuild;
mod roles;
mod second_factor;
mod secrets;
mod sessions;
mod signing_keys;
mod sorting;
mod sparse;
mod stolen;
mod support;
mod tags;
mod templates;
mod tls;
mod trace;
mod updates;
mod watchers;
