//! A customer or team: owns containers, keys and what they do.

use serde::{Deserialize, Serialize};

use crate::field::{self, FieldError, wrong};
use crate::quota::Quota;
use crate::{AccountId, Aggregate, Event, name};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
pub enum AccountEvent {
    #[serde(rename = "account.opened")]
    Opened { name: String, quota: Quota },
    #[serde(rename = "account.renamed")]
    Renamed { name: String },
    #[serde(rename = "account.quota_set")]
    QuotaSet { quota: Quota },
    /// Nobody acts for it any more; what it has stays until somebody removes it.
    #[serde(rename = "account.closed")]
    Closed,
}

impl Event for AccountEvent {}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountCommand {
    Open { name: String, quota: Quota },
    Rename(String),
    SetQuota(Quota),
    Close,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountRejection {
    #[error("there is no such account")]
    Unknown,
    #[error("the account has been opened before")]
    AlreadyOpen,
    #[error("the account is not right: {}", field::list(.0))]
    Invalid(Vec<FieldError>),
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    name: Option<String>,
    quota: Quota,
    closed: bool,
}

impl Account {
    /// None before it is opened and after it was closed.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref().filter(|_| !self.closed)
    }

    #[must_use]
    pub const fn quota(&self) -> &Quota {
        &self.quota
    }
}

impl Aggregate for Account {
    const CATEGORY: &'static str = "account";

    type Id = AccountId;
    type Command = AccountCommand;
    type Event = AccountEvent;
    type Rejection = AccountRejection;
    type Given = ();

    fn decide(&self, command: AccountCommand, (): &()) -> Result<Vec<AccountEvent>, AccountRejection> {
        use {AccountCommand as C, AccountEvent as E};
        if let C::Open { name, quota } = command {
            return match self.name {
                Some(_) => Err(AccountRejection::AlreadyOpen),
                None => Ok(vec![E::Opened { name: checked(name)?, quota }]),
            };
        }
        let known = self.name().ok_or(AccountRejection::Unknown)?;
        Ok(match command {
            C::Rename(name) if name == known => vec![],
            C::Rename(name) => vec![E::Renamed { name: checked(name)? }],
            C::SetQuota(quota) if quota == self.quota => vec![],
            C::SetQuota(quota) => vec![E::QuotaSet { quota }],
            C::Close => vec![E::Closed],
            C::Open { .. } => return Err(AccountRejection::AlreadyOpen),
        })
    }

    fn evolve(mut self, event: &AccountEvent) -> Self {
        match event {
            AccountEvent::Opened { name, quota } => {
                self.name = Some(name.clone());
                self.quota = *quota;
            }
            AccountEvent::Renamed { name } => self.name = Some(name.clone()),
            AccountEvent::QuotaSet { quota } => self.quota = *quota,
            AccountEvent::Closed => self.closed = true,
        }
        self
    }
}

fn checked(name: String) -> Result<String, AccountRejection> {
    if name::is_label(&name) {
        return Ok(name);
    }
    let fix = "1 to 63 letters, digits and hyphens, with a letter or digit at both ends";
    Err(AccountRejection::Invalid(vec![wrong("name", format!("{name:?} is no account's name"), fix)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::given;

    fn opened() -> AccountEvent {
        AccountEvent::Opened { name: "shop".into(), quota: Quota::default() }
    }

    #[test]
    fn an_account_is_opened_once_and_changed_only_while_it_is_open() {
        let open = AccountCommand::Open { name: "shop".into(), quota: Quota::default() };
        given::<Account>([]).when(open.clone(), &()).then([opened()]);
        given::<Account>([opened()]).when(open, &()).then_rejected(|no| assert_eq!(*no, AccountRejection::AlreadyOpen));
        let quota = Quota { containers: Some(1), ..Quota::default() };
        given::<Account>([opened()])
            .when(AccountCommand::SetQuota(quota), &())
            .then([AccountEvent::QuotaSet { quota }]);
        given::<Account>([opened(), AccountEvent::Closed])
            .when(AccountCommand::Rename("x".into()), &())
            .then_rejected(|no| assert_eq!(*no, AccountRejection::Unknown));
        given::<Account>([opened()]).when(AccountCommand::Rename("a b".into()), &()).then_rejected(|_| {});
    }
}
