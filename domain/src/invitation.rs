//! That somebody was asked in, once: into an account with a role, or only to become a user. Their address is kept outside
//! of the log, in a row that goes when it is answered.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{AccountId, Aggregate, Event, InvitationId, Role, UserId};

/// Where somebody is asked in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    pub account: AccountId,
    pub role: Role,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
pub enum InvitationEvent {
    #[serde(rename = "invitation.offered")]
    Offered {
        /// None: to become a user, and nothing in any account yet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seat: Option<Seat>,
        until: DateTime<Utc>,
    },
    #[serde(rename = "invitation.accepted")]
    Accepted { user: UserId },
    #[serde(rename = "invitation.withdrawn")]
    Withdrawn,
}

impl Event for InvitationEvent {}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvitationCommand {
    Offer { seat: Option<Seat>, until: DateTime<Utc> },
    Accept { user: UserId },
    Withdraw,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvitationRejection {
    #[error("there is no such invitation")]
    Unknown,
    #[error("the invitation was offered before")]
    AlreadyOffered,
    #[error("the invitation was answered or withdrawn already")]
    Over,
    #[error("the invitation has expired")]
    Expired,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    pub now: DateTime<Utc>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Invitation {
    offered: Option<(Option<Seat>, DateTime<Utc>)>,
    over: bool,
}

impl Invitation {
    #[must_use]
    pub fn seat(&self) -> Option<Seat> {
        self.offered.and_then(|(seat, _)| seat)
    }
}

impl Aggregate for Invitation {
    const CATEGORY: &'static str = "invitation";

    type Id = InvitationId;
    type Command = InvitationCommand;
    type Event = InvitationEvent;
    type Rejection = InvitationRejection;
    type Given = Given;

    fn decide(&self, command: InvitationCommand, given: &Given) -> Result<Vec<InvitationEvent>, InvitationRejection> {
        use {InvitationCommand as C, InvitationEvent as E, InvitationRejection as No};
        match (self.offered, command) {
            (None, C::Offer { seat, until }) => Ok(vec![E::Offered { seat, until }]),
            (Some(_), C::Offer { .. }) => Err(No::AlreadyOffered),
            (None, _) => Err(No::Unknown),
            (Some(_), _) if self.over => Err(No::Over),
            (Some((_, until)), C::Accept { .. }) if until <= given.now => Err(No::Expired),
            (Some(_), C::Accept { user }) => Ok(vec![E::Accepted { user }]),
            (Some(_), C::Withdraw) => Ok(vec![E::Withdrawn]),
        }
    }

    fn evolve(mut self, event: &InvitationEvent) -> Self {
        match event {
            InvitationEvent::Offered { seat, until } => self.offered = Some((*seat, *until)),
            InvitationEvent::Accepted { .. } | InvitationEvent::Withdrawn => self.over = true,
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::testing::given;

    #[test]
    fn an_invitation_is_good_once_and_for_its_time() {
        let at = |second| DateTime::from_timestamp(second, 0).unwrap();
        let offered = InvitationEvent::Offered { seat: None, until: at(100) };
        let user = UserId::new(Uuid::from_u128(1));
        let accept = InvitationCommand::Accept { user };
        let accepted = InvitationEvent::Accepted { user };
        given::<Invitation>([offered.clone()]).when(accept, &Given { now: at(99) }).then([accepted.clone()]);
        given::<Invitation>([offered.clone()])
            .when(accept, &Given { now: at(100) })
            .then_rejected(|no| assert_eq!(*no, InvitationRejection::Expired));
        for over in [accepted, InvitationEvent::Withdrawn] {
            given::<Invitation>([offered.clone(), over])
                .when(accept, &Given { now: at(1) })
                .then_rejected(|no| assert_eq!(*no, InvitationRejection::Over));
        }
    }
}
