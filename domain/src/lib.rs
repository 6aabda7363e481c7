//! The rules of Gantry. Pure: no async, no IO, no clock, no randomness.
//!
//! Everything that changes state is an event in a stream; an [`Aggregate`] says which events a command leads to
//! ([`Aggregate::decide`]) and what an event does to the state ([`Aggregate::evolve`]). Facts that a decision needs
//! (the time, new ids, what Proxmox said) are looked up first and passed in.

pub mod access;
pub mod account;
pub mod adopt;
pub mod aggregate;
pub mod api_key;
pub mod bulk;
pub mod catalogue;
pub mod container;
pub mod copy;
pub mod drift;
pub mod event;
pub mod field;
pub mod host;
pub mod id;
pub mod invitation;
pub mod membership;
pub mod meta;
mod name;
pub mod net;
pub mod operation;
pub mod orphan;
pub mod own_templates;
pub mod permission;
pub mod pipeline;
pub mod placement;
pub mod plan;
pub mod preview;
pub mod progress;
pub mod quota;
pub mod schedule;
pub mod stream;
pub mod template;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod trace;
pub mod user;
pub mod vmid;

pub use aggregate::Aggregate;
pub use event::{DecodeError, Event, NewEvent, Recorded};
pub use field::FieldError;
pub use id::{AccountId, BulkId, ContainerId, HostId, InvitationId, KeyId, OperationId, RequestId, SealedId, UserId};
pub use meta::{Actor, Meta};
pub use permission::{Permission, Role};
pub use stream::{Position, StreamId, Version};
pub use trace::TraceParent;
