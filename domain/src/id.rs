//! Ids are newtypes, so that a container's id can't be handed where an operation's is wanted.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            #[must_use]
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

ids! {
    /// One accepted command and its execution.
    OperationId,
    /// One request for many containers.
    BulkId,
    /// An LXC guest that Gantry owns.
    ContainerId,
    /// One Proxmox VE endpoint (a cluster or a single server).
    HostId,
    /// A customer or team; owns containers.
    AccountId,
    /// A person who signs in.
    UserId,
    /// That somebody was asked in.
    InvitationId,
    /// An API key; what identifies it, not what it opens with.
    KeyId,
    /// A sealed row: what an event may name but not tell.
    SealedId,
    /// One request to the API; follows its work through jobs to the SSH command.
    RequestId,
}
