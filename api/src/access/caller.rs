//! Who is calling, for whom, and what they may.

use std::collections::BTreeSet;
use std::sync::Arc;

use actix_web::HttpMessage as _;
use domain::{AccountId, Actor, Permission};
use platform::people::sessions::Session;

use crate::problem::{Kind, Problem};

/// Who is calling; every handler behind [`required`](super::required) can ask for it.
#[derive(Clone)]
pub struct Caller {
    pub actor: Actor,
    pub address: Option<String>,
    /// Known to nobody but the caller and this process.
    pub salt: [u8; 32],
    /// For whom they act, and whose things they see. None: the whole installation's, which only those get whose
    /// permissions are the installation's.
    pub account: Option<AccountId>,
    pub may: May,
    /// None for keys.
    pub(crate) session: Option<Session>,
}

/// What somebody may.
#[derive(Debug, Clone)]
pub enum May {
    Everything,
    Only(Arc<BTreeSet<Permission>>),
}

impl May {
    pub(super) fn only(permissions: impl IntoIterator<Item = Permission>) -> Self {
        Self::Only(Arc::new(permissions.into_iter().collect()))
    }
}

impl Caller {
    #[must_use]
    pub fn permits(&self, permission: Permission) -> bool {
        match &self.may {
            May::Everything => true,
            May::Only(some) => some.contains(&permission),
        }
    }

    /// For things that are named elsewhere than in the path: in a query or a body.
    ///
    /// # Errors
    /// `not-found` when it is another account's.
    pub(crate) fn sees(&self, account: Option<AccountId>) -> Result<(), Problem> {
        match self.account {
            Some(own) if account != Some(own) => Err(Problem::new(Kind::NotFound)),
            _ => Ok(()),
        }
    }
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caller")
            .field("actor", &self.actor)
            .field("address", &self.address)
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

impl actix_web::FromRequest for Caller {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &actix_web::HttpRequest, _: &mut actix_web::dev::Payload) -> Self::Future {
        // Only a route outside of `required` gets here without one; refusing is the safe answer to that mistake.
        std::future::ready(
            request.extensions().get::<Self>().cloned().ok_or_else(|| Problem::new(Kind::Unauthenticated)),
        )
    }
}
