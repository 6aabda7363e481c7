//! A person who signs in. What names them (the login, the address) and their password are kept outside of the log, in
//! a row that can be deleted.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Aggregate, Event, UserId};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
pub enum UserEvent {
    #[serde(rename = "user.created")]
    Created {
        /// Administrator of the whole installation.
        admin: bool,
    },
    #[serde(rename = "user.admin_set")]
    AdminSet { admin: bool },
    #[serde(rename = "user.disabled")]
    Disabled,
    #[serde(rename = "user.enabled")]
    Enabled,
    #[serde(rename = "user.password_set")]
    PasswordSet,
    /// A link was made that sets a password once.
    #[serde(rename = "user.link_offered")]
    LinkOffered,
    #[serde(rename = "user.signed_in")]
    SignedIn { session: Uuid },
    /// A wrong password; told once in a while when there are many.
    #[serde(rename = "user.sign_in_refused")]
    SignInRefused { times: u32 },
    #[serde(rename = "user.signed_out")]
    SignedOut { session: Uuid },
    /// All sessions were ended.
    #[serde(rename = "user.signed_out_everywhere")]
    SignedOutEverywhere,
    /// A refresh token came a second time: one of the two who had it stole it.
    #[serde(rename = "user.refresh_reused")]
    RefreshReused { session: Uuid },
    /// From now on signing in asks for a second factor.
    #[serde(rename = "user.totp_enabled")]
    TotpEnabled,
    #[serde(rename = "user.totp_disabled")]
    TotpDisabled,
    #[serde(rename = "user.recovery_code_used")]
    RecoveryCodeUsed,
    /// The password was right and the code was not, or was one that had been used.
    #[serde(rename = "user.code_refused")]
    CodeRefused { used_before: bool },
    /// They may sign in by an identity at this provider.
    #[serde(rename = "user.identity_linked")]
    IdentityLinked { issuer: String },
    /// What named the person is gone.
    #[serde(rename = "user.forgotten")]
    Forgotten,
}

impl Event for UserEvent {}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserCommand {
    Create { admin: bool },
    SetAdmin(bool),
    SetEnabled(bool),
    SetPassword,
    OfferLink,
    SignIn { session: Uuid },
    RefuseSignIn { times: u32 },
    SignOut { session: Uuid },
    SignOutEverywhere,
    ReuseRefresh { session: Uuid },
    LinkIdentity { issuer: String },
    EnableTotp,
    DisableTotp,
    UseRecoveryCode,
    RefuseCode { used_before: bool },
    Forget,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UserRejection {
    #[error("there is no such user")]
    Unknown,
    #[error("the user exists already")]
    AlreadyCreated,
    #[error("the user is disabled")]
    Disabled,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct User {
    created: bool,
    admin: bool,
    disabled: bool,
    forgotten: bool,
}

impl User {
    #[must_use]
    pub const fn exists(&self) -> bool {
        self.created && !self.forgotten
    }

    /// Administrator of the whole installation.
    #[must_use]
    pub const fn is_admin(&self) -> bool {
        self.admin && self.exists()
    }

    #[must_use]
    pub const fn is_disabled(&self) -> bool {
        self.disabled
    }
}

impl Aggregate for User {
    const CATEGORY: &'static str = "user";

    type Id = UserId;
    type Command = UserCommand;
    type Event = UserEvent;
    type Rejection = UserRejection;
    type Given = ();

    fn decide(&self, command: UserCommand, (): &()) -> Result<Vec<UserEvent>, UserRejection> {
        use {UserCommand as C, UserEvent as E};
        if let C::Create { admin } = command {
            return if self.created { Err(UserRejection::AlreadyCreated) } else { Ok(vec![E::Created { admin }]) };
        }
        if !self.exists() {
            return Err(UserRejection::Unknown);
        }
        Ok(match command {
            C::SetAdmin(admin) if admin == self.admin => vec![],
            C::SetAdmin(admin) => vec![E::AdminSet { admin }],
            C::SetEnabled(enabled) if enabled != self.disabled => vec![],
            C::SetEnabled(true) => vec![E::Enabled],
            C::SetEnabled(false) => vec![E::Disabled],
            C::SetPassword => vec![E::PasswordSet],
            C::OfferLink => vec![E::LinkOffered],
            C::SignIn { .. } if self.disabled => return Err(UserRejection::Disabled),
            C::SignIn { session } => vec![E::SignedIn { session }],
            C::RefuseSignIn { times } => vec![E::SignInRefused { times }],
            C::SignOut { session } => vec![E::SignedOut { session }],
            C::SignOutEverywhere => vec![E::SignedOutEverywhere],
            C::ReuseRefresh { session } => vec![E::RefreshReused { session }],
            C::LinkIdentity { .. } if self.disabled => return Err(UserRejection::Disabled),
            C::LinkIdentity { issuer } => vec![E::IdentityLinked { issuer }],
            C::EnableTotp => vec![E::TotpEnabled],
            C::DisableTotp => vec![E::TotpDisabled],
            C::UseRecoveryCode => vec![E::RecoveryCodeUsed],
            C::RefuseCode { used_before } => vec![E::CodeRefused { used_before }],
            C::Forget => vec![E::Forgotten],
            C::Create { .. } => return Err(UserRejection::AlreadyCreated),
        })
    }

    fn evolve(mut self, event: &UserEvent) -> Self {
        match event {
            UserEvent::Created { admin } => (self.created, self.admin) = (true, *admin),
            UserEvent::AdminSet { admin } => self.admin = *admin,
            UserEvent::Disabled => self.disabled = true,
            UserEvent::Enabled => self.disabled = false,
            UserEvent::Forgotten => self.forgotten = true,
            UserEvent::PasswordSet
            | UserEvent::LinkOffered
            | UserEvent::SignedIn { .. }
            | UserEvent::SignInRefused { .. }
            | UserEvent::SignedOut { .. }
            | UserEvent::SignedOutEverywhere
            | UserEvent::RefreshReused { .. }
            | UserEvent::IdentityLinked { .. }
            | UserEvent::TotpEnabled
            | UserEvent::TotpDisabled
            | UserEvent::RecoveryCodeUsed
            | UserEvent::CodeRefused { .. } => {}
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::given;

    #[test]
    fn who_is_disabled_or_forgotten_does_not_sign_in() {
        let created = UserEvent::Created { admin: false };
        let sign_in = UserCommand::SignIn { session: Uuid::nil() };
        let disabled =
            given::<User>([created.clone()]).when(UserCommand::SetEnabled(false), &()).then([UserEvent::Disabled]);
        assert!(disabled.is_disabled());
        given::<User>([created.clone(), UserEvent::Disabled])
            .when(sign_in.clone(), &())
            .then_rejected(|no| assert_eq!(*no, UserRejection::Disabled));
        given::<User>([created, UserEvent::Forgotten])
            .when(sign_in, &())
            .then_rejected(|no| assert_eq!(*no, UserRejection::Unknown));
    }
}
