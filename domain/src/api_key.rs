//! A key that programs call with: what it may do, until when and from where. Only a hash of it is kept.

use std::collections::BTreeSet;
use std::net::IpAddr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::field::{self, FieldError, wrong};
use crate::net::Net;
use crate::{AccountId, Aggregate, Event, KeyId, Permission, name};

/// What a key is, when it is handed out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issued {
    pub name: String,
    /// None: of the installation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// The part that is shown again, to tell keys apart.
    pub prefix: String,
    /// SHA-256 of the whole key, in hex. The key is 256 random bits: its hash gives nothing away.
    pub hash: String,
    pub scopes: BTreeSet<Permission>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
    /// Addresses and networks (`192.0.2.0/24`) it may come from; any when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// The key that this one takes the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<KeyId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
pub enum ApiKeyEvent {
    #[serde(rename = "api_key.issued")]
    Issued(Issued),
    /// Another took its place; it is valid until then.
    #[serde(rename = "api_key.rotated")]
    Rotated { by: KeyId, valid_until: DateTime<Utc> },
    #[serde(rename = "api_key.revoked")]
    Revoked,
}

impl Event for ApiKeyEvent {}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiKeyCommand {
    Issue(Issued),
    Rotate { by: KeyId, valid_until: DateTime<Utc> },
    Revoke,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiKeyRejection {
    #[error("there is no such key")]
    Unknown,
    #[error("the key has been issued before")]
    AlreadyIssued,
    #[error("the key has been revoked")]
    Revoked,
    #[error("another key took this one's place already")]
    AlreadyRotated,
    #[error("the key is not right: {}", field::list(.0))]
    Invalid(Vec<FieldError>),
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiKey {
    issued: Option<Issued>,
    rotated: Option<(KeyId, DateTime<Utc>)>,
    revoked: bool,
}

impl ApiKey {
    #[must_use]
    pub const fn issued(&self) -> Option<&Issued> {
        self.issued.as_ref()
    }

    #[must_use]
    pub const fn is_revoked(&self) -> bool {
        self.revoked
    }

    #[must_use]
    pub fn replaced_by(&self) -> Option<KeyId> {
        self.rotated.map(|(by, _)| by)
    }

    /// The earlier of its own end and that of its overlap.
    #[must_use]
    pub fn expires_at(&self) -> Option<DateTime<Utc>> {
        let own = self.issued.as_ref().and_then(|issued| issued.expires_at);
        own.into_iter().chain(self.rotated.map(|(_, until)| until)).min()
    }
}

impl Aggregate for ApiKey {
    const CATEGORY: &'static str = "api_key";

    type Id = KeyId;
    type Command = ApiKeyCommand;
    type Event = ApiKeyEvent;
    type Rejection = ApiKeyRejection;
    type Given = ();

    fn decide(&self, command: ApiKeyCommand, (): &()) -> Result<Vec<ApiKeyEvent>, ApiKeyRejection> {
        use {ApiKeyCommand as C, ApiKeyEvent as E, ApiKeyRejection as No};
        if let C::Issue(issued) = command {
            return match self.issued {
                Some(_) => Err(No::AlreadyIssued),
                None => Ok(vec![E::Issued(issued.checked()?)]),
            };
        }
        if self.issued.is_none() {
            return Err(No::Unknown);
        }
        Ok(match command {
            C::Revoke if self.revoked => vec![],
            C::Revoke => vec![E::Revoked],
            _ if self.revoked => return Err(No::Revoked),
            C::Rotate { .. } if self.rotated.is_some() => return Err(No::AlreadyRotated),
            C::Rotate { by, valid_until } => vec![E::Rotated { by, valid_until }],
            C::Issue(_) => return Err(No::AlreadyIssued),
        })
    }

    fn evolve(mut self, event: &ApiKeyEvent) -> Self {
        match event {
            ApiKeyEvent::Issued(issued) => self.issued = Some(issued.clone()),
            ApiKeyEvent::Rotated { by, valid_until } => self.rotated = Some((*by, *valid_until)),
            ApiKeyEvent::Revoked => self.revoked = true,
        }
        self
    }
}

impl Issued {
    /// All that is wrong with it, at once.
    #[must_use]
    pub fn faults(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if !name::is_label(&self.name) {
            let fix = "1 to 63 letters, digits and hyphens, with a letter or digit at both ends";
            errors.push(wrong("name", format!("{:?} is no key's name", self.name), fix));
        }
        if self.scopes.is_empty() {
            errors.push(wrong("scopes", "a key that may nothing is of no use", "name at least one"));
        }
        for (i, text) in self.addresses.iter().enumerate().filter(|(_, text)| text.parse::<Net>().is_err()) {
            let fix = "an address like 192.0.2.1, or a network like 192.0.2.0/24 or 2001:db8::/32";
            errors.push(wrong(format!("addresses[{i}]"), format!("{text:?} is no address"), fix));
        }
        errors
    }

    fn checked(self) -> Result<Self, ApiKeyRejection> {
        let errors = self.faults();
        if errors.is_empty() { Ok(self) } else { Err(ApiKeyRejection::Invalid(errors)) }
    }

    #[must_use]
    pub fn admits(&self, from: Option<IpAddr>) -> bool {
        self.addresses.is_empty()
            || from
                .is_some_and(|from| self.addresses.iter().any(|net| net.parse::<Net>().is_ok_and(|net| net.has(from))))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::testing::given;

    fn issued() -> Issued {
        Issued {
            name: "ci".into(),
            account: None,
            prefix: "0a1b2c3d4e".into(),
            hash: "00".repeat(32),
            scopes: [Permission::ContainersRead].into(),
            expires_at: DateTime::from_timestamp(100, 0),
            addresses: vec![],
            replaces: None,
        }
    }

    #[test]
    fn a_rotated_key_ends_with_its_overlap_and_a_revoked_one_at_once() {
        let by = KeyId::new(Uuid::from_u128(1));
        let until = DateTime::from_timestamp(50, 0).unwrap();
        let rotated = given::<ApiKey>([ApiKeyEvent::Issued(issued())])
            .when(ApiKeyCommand::Rotate { by, valid_until: until }, &())
            .then([ApiKeyEvent::Rotated { by, valid_until: until }]);
        assert_eq!((rotated.expires_at(), rotated.replaced_by()), (Some(until), Some(by)));
        given::<ApiKey>([ApiKeyEvent::Issued(issued()), ApiKeyEvent::Revoked])
            .when(ApiKeyCommand::Rotate { by, valid_until: until }, &())
            .then_rejected(|no| assert_eq!(*no, ApiKeyRejection::Revoked));
    }

    #[test]
    fn a_key_is_for_the_addresses_it_names() {
        let key = |nets: &[&str]| Issued { addresses: nets.iter().map(ToString::to_string).collect(), ..issued() };
        let from = |text: &str| Some(text.parse().unwrap());
        for (nets, inside, outside) in [
            (&["192.0.2.0/24"][..], "192.0.2.77", "192.0.3.1"),
            (&["192.0.2.7"], "192.0.2.7", "192.0.2.8"),
            (&["2001:db8::/32"], "2001:db8:1::1", "2001:db9::1"),
            (&["0.0.0.0/0"], "8.8.8.8", "::1"),
        ] {
            assert!(key(nets).admits(from(inside)) && !key(nets).admits(from(outside)), "{nets:?}");
            assert!(!key(nets).admits(None));
        }
        assert!(key(&[]).admits(None));
        for wrong in ["192.0.2.0/33", "here", "", "1.2.3.4/x"] {
            assert_eq!(key(&[wrong]).faults().len(), 1, "{wrong}");
        }
    }
}
