//! The contract of everything that has a stream.

use crate::{Event, StreamId};

/// The state of one stream, and the two functions that make all of its life.
///
/// Synchronous, total and free of effects: `decide` never looks anything up, `evolve` never fails.
pub trait Aggregate: Default + Clone + std::fmt::Debug {
    /// The first part of the stream's name.
    const CATEGORY: &'static str;

    type Id: std::fmt::Display + Copy;
    type Command;
    type Event: Event;
    type Rejection: std::error::Error + Send + Sync + 'static;
    /// Facts that the decision needs and the caller looked up: the time, new ids, what Proxmox said.
    type Given;

    /// Which events the command leads to; none when all is as the command wants it already.
    ///
    /// # Errors
    /// When the rules say no.
    fn decide(&self, command: Self::Command, given: &Self::Given) -> Result<Vec<Self::Event>, Self::Rejection>;

    /// The state after the event. Never refuses: what is in the log has happened.
    #[must_use]
    fn evolve(self, event: &Self::Event) -> Self;

    #[must_use]
    fn stream(id: Self::Id) -> StreamId {
        StreamId::new(Self::CATEGORY, id)
    }

    #[must_use]
    fn fold<'a>(events: impl IntoIterator<Item = &'a Self::Event>) -> Self
    where
        Self::Event: 'a,
    {
        events.into_iter().fold(Self::default(), Self::evolve)
    }
}
