//! What may be done, and which role may do it. The scopes of an API key are the same words.

use serde::{Deserialize, Serialize};

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $word:literal),+ $(,)?) => {
        /// One thing that may be done with one kind of thing.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Permission {
            $($(#[$doc])* #[serde(rename = $word)] $name),+
        }

        impl Permission {
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }
        }
    };
}

permissions! {
    ContainersRead = "containers:read",
    /// Make them, start and stop them, change them.
    ContainersWrite = "containers:write",
    ContainersDelete = "containers:delete",
    /// Read their passwords.
    ContainersSecrets = "containers:secrets",
    OperationsRead = "operations:read",
    /// Cancel and retry.
    OperationsWrite = "operations:write",
    TemplatesRead = "templates:read",
    /// Those of one's own account.
    TemplatesWrite = "templates:write",
    HostsRead = "hosts:read",
    HostsWrite = "hosts:write",
    /// The account, its members and what of its quota is used.
    AccountRead = "account:read",
    /// Its name and its members.
    AccountWrite = "account:write",
    KeysRead = "keys:read",
    KeysWrite = "keys:write",
    AuditRead = "audit:read",
    /// Of the whole installation: open and close accounts, set their quotas.
    AccountsManage = "accounts:manage",
    UsersRead = "users:read",
    UsersWrite = "users:write",
    /// Measurements and state of the installation.
    SystemRead = "system:read",
}

impl std::fmt::Display for Permission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

impl Permission {
    /// What one has to be allowed to see the thing at all; without it, it is as if it were not there.
    #[must_use]
    pub const fn to_see(self) -> Self {
        use Permission as P;
        match self {
            P::ContainersRead | P::ContainersWrite | P::ContainersDelete | P::ContainersSecrets => P::ContainersRead,
            P::OperationsRead | P::OperationsWrite => P::OperationsRead,
            P::TemplatesRead | P::TemplatesWrite => P::TemplatesRead,
            P::HostsRead | P::HostsWrite => P::HostsRead,
            P::AccountRead | P::AccountWrite | P::AccountsManage => P::AccountRead,
            P::KeysRead | P::KeysWrite => P::KeysRead,
            P::UsersRead | P::UsersWrite => P::UsersRead,
            P::AuditRead => P::AuditRead,
            P::SystemRead => P::SystemRead,
        }
    }
}

/// What somebody is in an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Looks.
    Viewer,
    /// Makes containers and works with them.
    Member,
    /// Also deletes them, reads their passwords and the audit.
    Operator,
    /// Also says who belongs to the account, and hands out keys.
    Admin,
}

impl Role {
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Member, Self::Operator, Self::Admin];

    #[must_use]
    pub const fn permits(self, permission: Permission) -> bool {
        match Self::least(permission) {
            Some(least) => self as u8 >= least as u8,
            None => false,
        }
    }

    /// The least role that may; none for what only the installation's administrators may.
    #[must_use]
    pub const fn least(permission: Permission) -> Option<Self> {
        use Permission as P;
        match permission {
            P::ContainersRead | P::OperationsRead | P::TemplatesRead | P::AccountRead => Some(Self::Viewer),
            P::ContainersWrite | P::OperationsWrite => Some(Self::Member),
            P::ContainersDelete | P::ContainersSecrets | P::TemplatesWrite | P::KeysRead | P::AuditRead => {
                Some(Self::Operator)
            }
            P::AccountWrite | P::KeysWrite => Some(Self::Admin),
            P::HostsRead | P::HostsWrite | P::AccountsManage | P::UsersRead | P::UsersWrite | P::SystemRead => None,
        }
    }

    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Member => "member",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_more_may_all_that_others_may() {
        for permission in Permission::ALL {
            for pair in Role::ALL.windows(2) {
                assert!(!pair[0].permits(*permission) || pair[1].permits(*permission), "{permission}");
            }
            assert!(Role::ALL.iter().all(|role| !role.permits(*permission) || role.permits(permission.to_see())));
            assert_eq!(serde_json::to_value(permission).unwrap(), permission.word());
        }
        assert!(Role::Viewer.permits(Permission::ContainersRead) && !Role::Admin.permits(Permission::HostsRead));
    }
}
