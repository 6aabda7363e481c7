//! Pipelines, whole, on a real log and against a simulated Proxmox host that really runs their commands.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what it expects by failing")]

mod adopt;
mod asks;
mod cancel;
mod changes;
mod checks;
mod copies;
mod create;
mod deletions;
mod drift;
mod fault;
mod leases;
mod many;
mod nodes;
mod places;
mod proofs;
mod queue;
mod rebuild;
mod refusals;
mod restores;
mod schedules;
mod servers;
mod states;
mod stopped;
mod support;
mod templates;
mod tiny;
mod traces;
mod trips;
