//! Who may call: everybody is known by a token, and every route has a rule in [`table`].

mod caller;
mod identify;
mod origin;
mod rate;
mod refused;
mod still;
pub mod table;

use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, web};
use domain::access::Why;
use domain::net::Net;
use domain::{AccountId, Permission};
use platform::bootstrap;
use platform::people::owned::{Thing, owns};
use platform::vault::SecretText;
use subtle::ConstantTimeEq;
use tokio::sync::watch;

use crate::app::App;
use crate::problem::{Kind, Problem};
pub use caller::{Caller, May};
pub(crate) use identify::KEY;
use identify::No;
pub(crate) use identify::SESSION;
use identify::identify;
pub(crate) use origin::{Origin, is_secure};
use refused::Refused;
pub(crate) use refused::record;
pub(crate) use still::{Opened, while_allowed};
use table::{Needs, Rule, Whose};

/// What is asked of callers.
#[derive(Clone)]
pub struct Access {
    token_hash: Arc<[u8; 32]>,
    trusted: Arc<[Net]>,
    /// Requests that one caller may send in a minute; none: any number.
    per_minute: Option<u64>,
    /// Origins whose pages may ask from a browser.
    pages: Arc<[String]>,
    /// Who may what was changed by this process.
    changed: Arc<watch::Sender<()>>,
    refused: Arc<Refused>,
}

impl Access {
    /// From the hash that the first start stored.
    #[must_use]
    pub fn with_token_hash(hash: [u8; 32]) -> Self {
        Self {
            token_hash: Arc::new(hash),
            trusted: Arc::default(),
            per_minute: None,
            pages: Arc::default(),
            changed: Arc::new(watch::Sender::new(())),
            refused: Arc::default(),
        }
    }

    /// Behind proxies, whose word on who asked them is taken.
    #[must_use]
    pub fn behind(self, proxies: impl IntoIterator<Item = Net>) -> Self {
        Self { trusted: proxies.into_iter().collect(), ..self }
    }

    /// No caller sends more than so many requests in a minute; 0: any number.
    #[must_use]
    pub fn at_most(self, per_minute: u64) -> Self {
        Self { per_minute: Some(per_minute).filter(|most| *most > 0), ..self }
    }

    /// Pages of these origins may ask from a browser: `https://console.example.org`.
    #[must_use]
    pub fn for_pages_of(self, origins: impl IntoIterator<Item = String>) -> Self {
        Self { pages: origins.into_iter().collect(), ..self }
    }

    pub(crate) fn pages(&self) -> &[String] {
        &self.pages
    }

    pub(crate) fn trusted(&self) -> &[Net] {
        &self.trusted
    }

    /// Somebody tried to sign in as who they are not.
    pub(crate) async fn refused_login(&self, app: &App, origin: &Origin, why: Why) {
        self.refused.credential(app, origin, No { why, key: None, user: None }).await;
    }

    fn admits(&self, token: &str) -> bool {
        bootstrap::hash(token).ct_eq(&*self.token_hash).into()
    }
}

/// What there is to read about the API itself, beside the routes of the document.
const OPEN: [&str; 3] = ["/openapi.json", "/docs", "/welcome"];

fn is_open(path: &str) -> bool {
    OPEN.iter().any(|open| path.strip_prefix(open).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// Refuses who brings no valid token, and who may not do what they ask for; the rest goes on as a [`Caller`].
///
/// # Errors
/// `unauthenticated`, `forbidden`, or `not-found` for what they may not see.
pub async fn required(
    access: web::Data<Access>,
    app: web::Data<App>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let method = request.method().as_str();
    let routed = request.match_pattern().and_then(|path| table::rule_of(method, &path));
    let rule = routed.or_else(|| table::rule_for(method, request.path()));
    if is_open(request.path()) || rule.is_some_and(|rule| rule.needs == Needs::Nothing) {
        return next.call(request).await;
    }
    let origin = Origin::of(request.request(), access.trusted());
    let caller = match token(&request) {
        None => Err(Problem::new(Kind::Unauthenticated).detail("there is no token in the request")),
        Some(token) => {
            let account = identify::account_asked(&request)?;
            let found = identify(&app, &access, account, token.expose(), &origin).await;
            if found.is_ok() && rule.is_some_and(|rule| rule.path.ends_with("/events")) {
                let path = request.path().to_owned();
                request.extensions_mut().insert(Opened { token, account, origin: origin.clone(), rule, path });
            }
            found
        }
    };
    let caller = match caller {
        Ok(caller) => caller,
        Err(problem) => {
            if problem.status == 401 {
                rate::of_stranger(&app, &access, &request, &origin).await?;
            }
            return Err(problem.into());
        }
    };
    rate::of_caller(&app, &access, &request, &caller).await?;
    let is_route = request.match_pattern().is_some_and(|path| table::TABLE.iter().all(|rule| rule.path != path));
    if let Err(problem) = allowed(&app, &caller, rule, is_route, request.path()).await {
        access.refused.request(&app, &caller, &origin, &request, problem.status).await;
        return Err(problem.into());
    }
    request.extensions_mut().insert(caller);
    let answer = next.call(request).await?;
    if rule.is_some_and(Rule::changes_rights) && answer.status().is_success() {
        access.changed.send_replace(());
    }
    Ok(answer)
}

fn token(request: &ServiceRequest) -> Option<SecretText> {
    let header = request.headers().get("authorization").and_then(|value| value.to_str().ok())?;
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned().into())
}

async fn allowed(
    app: &App,
    caller: &Caller,
    rule: Option<&'static Rule>,
    is_route: bool,
    path: &str,
) -> Result<(), Problem> {
    let Some(rule) = rule else {
        // What is not there is told as such by whoever answers for unknown paths.
        return match caller.may {
            May::Only(_) if is_route => Err(Problem::new(Kind::Forbidden)),
            _ => Ok(()),
        };
    };
    let Needs::Permission(needed) = rule.needs else { return Ok(()) };
    let id = rule.id(path);
    if !caller.permits(needed) {
        let seen = match id {
            Some(id) => caller.permits(needed.to_see()) && is_theirs(app, caller, rule.whose, id).await?,
            None => true,
        };
        return Err(if seen { forbidden(needed) } else { Problem::new(Kind::NotFound) });
    }
    match id {
        Some(id) if !is_theirs(app, caller, rule.whose, id).await? => Err(Problem::new(Kind::NotFound)),
        _ => Ok(()),
    }
}

fn forbidden(needed: Permission) -> Problem {
    Problem::new(Kind::Forbidden).detail(format!("it needs the permission {needed}")).fact("permission", needed)
}

async fn is_theirs(app: &App, caller: &Caller, whose: Whose, id: &str) -> Result<bool, Problem> {
    let Some(account) = caller.account else { return Ok(true) };
    let thing = match whose {
        Whose::Installation | Whose::Account => return Ok(true),
        Whose::OwnAccount => return Ok(id.parse::<AccountId>().is_ok_and(|id| id == account)),
        Whose::Container => id.parse().map(Thing::Container),
        Whose::Operation => id.parse().map(Thing::Operation),
        Whose::Invitation => id.parse().map(Thing::Invitation),
        Whose::Key => id.parse().map(Thing::Key),
    };
    // What is no id names nothing.
    let Ok(thing) = thing else { return Ok(false) };
    owns(app.log.db(), account, thing).await.map_err(crate::unread::unread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_holds_no_data_is_open() {
        for path in ["/docs", "/docs/index.html", "/openapi.json"] {
            assert!(is_open(path), "{path}");
        }
        for path in ["/", "/v1/containers", "/metrics", "/livezz", "/docsx", "/v1/../docs"] {
            assert!(!is_open(path), "{path}");
        }
    }
}
