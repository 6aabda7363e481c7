//! That somebody belongs to an account, and as what.

use serde::{Deserialize, Serialize};

use crate::{AccountId, Aggregate, Event, Role, UserId};

/// Of one person in one account; `<account>:<user>` in the stream's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberOf {
    pub account: AccountId,
    pub user: UserId,
}

impl std::fmt::Display for MemberOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.account, self.user)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
pub enum MembershipEvent {
    #[serde(rename = "membership.granted")]
    Granted { role: Role },
    #[serde(rename = "membership.revoked")]
    Revoked,
}

impl Event for MembershipEvent {}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MembershipCommand {
    Grant(Role),
    Revoke,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no such member")]
pub struct NoMember;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Membership {
    role: Option<Role>,
}

impl Membership {
    #[must_use]
    pub const fn role(&self) -> Option<Role> {
        self.role
    }
}

impl Aggregate for Membership {
    const CATEGORY: &'static str = "membership";

    type Id = MemberOf;
    type Command = MembershipCommand;
    type Event = MembershipEvent;
    type Rejection = NoMember;
    type Given = ();

    fn decide(&self, command: MembershipCommand, (): &()) -> Result<Vec<MembershipEvent>, NoMember> {
        match (self.role, command) {
            (Some(has), MembershipCommand::Grant(role)) if has == role => Ok(vec![]),
            (_, MembershipCommand::Grant(role)) => Ok(vec![MembershipEvent::Granted { role }]),
            (Some(_), MembershipCommand::Revoke) => Ok(vec![MembershipEvent::Revoked]),
            (None, MembershipCommand::Revoke) => Err(NoMember),
        }
    }

    fn evolve(self, event: &MembershipEvent) -> Self {
        match event {
            MembershipEvent::Granted { role } => Self { role: Some(*role) },
            MembershipEvent::Revoked => Self { role: None },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::given;

    #[test]
    fn a_role_is_given_changed_and_taken_away() {
        let granted = MembershipEvent::Granted { role: Role::Viewer };
        given::<Membership>([]).when(MembershipCommand::Grant(Role::Viewer), &()).then([granted.clone()]);
        given::<Membership>([granted.clone()]).when(MembershipCommand::Grant(Role::Viewer), &()).then([]);
        let after =
            given::<Membership>([granted]).when(MembershipCommand::Revoke, &()).then([MembershipEvent::Revoked]);
        assert_eq!(after.role(), None);
        given::<Membership>([]).when(MembershipCommand::Revoke, &()).then_rejected(|_| {});
    }
}
