//! Given these events, when this command comes, then those events follow, or it is rejected.
//!
//! ```text
//! given::<Operation>([accepted()]).when(OperationCommand::Cancel, &at(0)).then([OperationEvent::CancelRequested]);
//! ```

use std::fmt::Debug;

use crate::Aggregate;

/// A stream's history, folded.
#[must_use]
#[derive(Debug)]
pub struct Scenario<A: Aggregate> {
    state: A,
}

/// What a command led to.
#[must_use = "say what should follow: then, or then_rejected"]
#[derive(Debug)]
pub struct Outcome<A: Aggregate> {
    state: A,
    result: Result<Vec<A::Event>, A::Rejection>,
}

pub fn given<A: Aggregate>(events: impl IntoIterator<Item = A::Event>) -> Scenario<A> {
    Scenario { state: events.into_iter().fold(A::default(), |state, event| state.evolve(&event)) }
}

impl<A: Aggregate> Scenario<A> {
    pub fn when(self, command: A::Command, given: &A::Given) -> Outcome<A> {
        Outcome { result: self.state.decide(command, given), state: self.state }
    }
}

impl<A: Aggregate> Outcome<A>
where
    A::Event: PartialEq,
{
    /// Exactly these events, in this order; gives the state after them.
    ///
    /// # Panics
    /// When the command was rejected, or led to anything else.
    #[track_caller]
    pub fn then(self, expected: impl IntoIterator<Item = A::Event>) -> A {
        let expected: Vec<_> = expected.into_iter().collect();
        match self.result {
            Ok(events) => {
                assert_eq!(events, expected, "the command led to the events on the left");
                events.iter().fold(self.state, A::evolve)
            }
            Err(rejection) => panic!("rejected: {rejection}; expected {expected:?}"),
        }
    }
}

impl<A: Aggregate> Outcome<A>
where
    A::Event: Debug,
{
    /// No, and the check may look at why.
    ///
    /// # Panics
    /// When the command was not rejected.
    #[track_caller]
    pub fn then_rejected(self, check: impl FnOnce(&A::Rejection)) {
        match self.result {
            Ok(events) => panic!("expected a rejection, the command led to {events:?}"),
            Err(rejection) => check(&rejection),
        }
    }
}
