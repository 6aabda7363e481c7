//! Refusals are in the audit: once for each kind and caller in a while, so that nobody can fill the log with them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::dev::ServiceRequest;
use domain::access::{Access, AccessEvent, Day};
use domain::{Aggregate as _, Event as _, Meta};
use platform::log::{Append, AppendError, Expected};

use super::identify::No;
use super::{Caller, Origin};
use crate::app::App;

/// The same is told once in this time.
const EVERY: Duration = Duration::from_secs(10);
/// Remembered at most; all are forgotten when there are more.
const REMEMBERED: usize = 10_000;
/// A path is recorded up to here.
const LONGEST: usize = 200;

#[derive(Debug, Default)]
pub(super) struct Refused(Mutex<HashMap<String, Instant>>);

impl Refused {
    pub(super) async fn credential(&self, app: &App, origin: &Origin, no: No) {
        let from = origin.address();
        let holder = no.key.map(|id| id.uuid()).or(no.user.map(|id| id.uuid()));
        if !self.is_new(format!("{:?} {holder:?} {from:?}", no.why)) {
            return;
        }
        let event = AccessEvent::CredentialRefused { why: no.why, key: no.key, user: no.user };
        let meta = Meta { address: from, request: origin.request, ..Meta::system("api") };
        note(app, event, meta).await;
    }

    pub(super) async fn request(
        &self,
        app: &App,
        caller: &Caller,
        origin: &Origin,
        request: &ServiceRequest,
        status: u16,
    ) {
        let path: String = request.path().chars().take(LONGEST).collect();
        let (method, actor) = (request.method().to_string(), caller.actor.clone());
        if !matches!(status, 403 | 404) || !self.is_new(format!("{actor} {method} {path}")) {
            return;
        }
        let event = AccessEvent::RequestRefused { method, path, status };
        let meta = Meta {
            account: caller.account,
            address: caller.address.clone(),
            request: origin.request,
            ..Meta::by(actor)
        };
        note(app, event, meta).await;
    }

    fn is_new(&self, what: String) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= REMEMBERED {
            told.clear();
        }
        let now = Instant::now();
        if told.get(&what).is_some_and(|before| now.duration_since(*before) < EVERY) {
            return false;
        }
        told.insert(what, now);
        true
    }
}

/// # Errors
/// When it can't be written.
pub(crate) async fn record(app: &App, event: AccessEvent, meta: Meta) -> Result<(), AppendError> {
    let stream = Access::stream(Day::of(app.log.clock().now()));
    let append = Append::new(meta).stream(stream, Expected::Any, vec![event.encode()?]);
    app.log.append(append).await.map(drop)
}

/// What can't be written is no reason to let somebody in, nor to answer otherwise.
async fn note(app: &App, event: AccessEvent, meta: Meta) {
    if let Err(error) = record(app, event, meta).await {
        tracing::error!(%error, "a refusal was not recorded");
    }
}
