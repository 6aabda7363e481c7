//! The circumstances of a request that changes something: who, under which id, why, and whether it is sent again.

use std::fmt::Display;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use domain::{Aggregate, Meta, RequestId, TraceParent, Version};
use platform::log::{ExecuteError, Executed, Idempotency};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::access::Caller;
use crate::app::App;
use crate::paging::wrong;
use crate::problem::{Kind, Problem};
use crate::tag::Tags;

/// Longest `Idempotency-Key` and `X-Reason`.
const LONGEST: usize = 255;

#[derive(Debug, Clone)]
pub(crate) struct Asking {
    pub(crate) caller: Caller,
    pub(crate) request: Option<RequestId>,
    pub(crate) trace: Option<TraceParent>,
    reason: Option<String>,
    key: Option<String>,
    /// What the caller has seen of what they change.
    seen: Option<Tags>,
    route: String,
}

impl Asking {
    /// For each of many things that were asked in one request.
    #[must_use]
    pub(crate) fn without_key(&self) -> Self {
        Self { key: None, seen: None, ..self.clone() }
    }

    /// Whether the caller says what they have seen; then nothing else may be changed.
    #[must_use]
    pub(crate) const fn has_seen(&self) -> bool {
        self.seen.is_some()
    }

    /// # Errors
    /// `stale` when it is another version than the caller has seen.
    pub(crate) fn hold(&self, version: impl Display) -> Result<(), Problem> {
        self.seen.as_ref().map_or(Ok(()), |seen| seen.hold(version))
    }

    /// The same of what may not be there yet: then nobody can have seen it.
    ///
    /// # Errors
    /// The same.
    pub(crate) fn hold_if_there(&self, version: Option<impl Display>) -> Result<(), Problem> {
        match version {
            Some(version) => self.hold(version),
            None if self.has_seen() => Err(Problem::new(Kind::Stale).detail("there is none now")),
            None => Ok(()),
        }
    }

    /// Has the command carried out on what the caller has seen.
    ///
    /// # Errors
    /// When the rules say no, it has changed meanwhile, or the log can't be read or written.
    pub(crate) async fn execute<A: Aggregate>(
        &self,
        app: &App,
        id: A::Id,
        command: A::Command,
        given: &A::Given,
    ) -> Result<Executed<A>, ExecuteError<A::Rejection>>
    where
        A::Command: Clone,
    {
        self.execute_by(app, id, command, given, self.meta()).await
    }

    /// The same, in the name of `meta`.
    ///
    /// # Errors
    /// The same.
    pub(crate) async fn execute_by<A: Aggregate>(
        &self,
        app: &App,
        id: A::Id,
        command: A::Command,
        given: &A::Given,
        meta: Meta,
    ) -> Result<Executed<A>, ExecuteError<A::Rejection>>
    where
        A::Command: Clone,
    {
        let seen = |version: Version| self.hold(version.0).is_ok();
        app.log.execute_on(id, command, given, meta, &seen).await
    }

    /// What the log keeps beside the events.
    #[must_use]
    pub(crate) fn meta(&self) -> Meta {
        Meta {
            account: self.caller.account,
            request: self.request,
            address: self.caller.address.clone(),
            reason: self.reason.clone(),
            trace: self.trace.clone(),
            ..Meta::by(self.caller.actor.clone())
        }
    }

    /// The caller's key, bound to the caller; and a digest of what is asked, which tells nothing of the body without
    /// the caller's token.
    #[must_use]
    pub(crate) fn once(&self, body: &[u8; 32], answer: Value) -> Option<Idempotency> {
        let key = self.key.as_ref()?;
        let mut digest = Sha256::new();
        digest.update(self.caller.salt);
        digest.update(self.route.as_bytes());
        digest.update(body);
        let key = format!("{}/{key}", self.caller.actor);
        Some(Idempotency { key, fingerprint: hex::encode(digest.finalize()), answer })
    }
}

impl FromRequest for Asking {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        std::future::ready(Caller::from_request(request, payload).into_inner().and_then(|caller| {
            Ok(Self {
                caller,
                request: request.extensions().get::<RequestId>().copied(),
                trace: request.extensions().get::<TraceParent>().cloned(),
                reason: header(request, "x-reason")?,
                seen: Tags::of(request.headers(), "if-match"),
                key: header(request, "idempotency-key")?.filter(|key| !key.is_empty()),
                route: format!("{} {}", request.method(), request.path()),
            })
        }))
    }
}

fn header(request: &HttpRequest, name: &str) -> Result<Option<String>, Problem> {
    let Some(value) = request.headers().get(name) else { return Ok(None) };
    match value.to_str() {
        Ok(text) if text.len() <= LONGEST => Ok(Some(text.to_owned())),
        _ => {
            let fix = format!("at most {LONGEST} letters, digits and signs of ASCII");
            let field = format!("header {name}");
            Err(Problem::new(Kind::Invalid).fields(vec![wrong(&field, "is too long or not plain", &fix)]))
        }
    }
}
