//! From a token to whoever holds it.

use std::net::IpAddr;

use actix_web::dev::ServiceRequest;
use domain::access::Why;
use domain::{AccountId, Actor, KeyId, Permission, Role, UserId};
use platform::db::DbError;
use platform::people::{key_uses, sessions, token};
use platform::views::{self, AccountRow, ApiKeyFilter, ApiKeyRow, MemberFilter, MemberRow, Page, UserRow, ViewError};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::{Access, Caller, May, Origin};
use crate::app::App;
use crate::problem::{Kind, Problem};
use crate::unread::unread;

/// How an API key begins; then its prefix, `_`, and its secret.
pub(crate) const KEY: &str = "gantry_key_";
/// How a session's access token begins.
pub(crate) const SESSION: &str = "gantry_access_";
/// The last use of a key is written once in so many seconds.
const USE_EVERY: i64 = 60;

/// Nobody may come in with this.
#[derive(Debug, Clone, Copy)]
pub(super) struct No {
    pub(super) why: Why,
    pub(super) key: Option<KeyId>,
    pub(super) user: Option<UserId>,
}

enum Stop {
    No(No),
    Problem(Problem),
}

impl From<Why> for Stop {
    fn from(why: Why) -> Self {
        Self::No(No { why, key: None, user: None })
    }
}

impl From<ViewError> for Stop {
    fn from(error: ViewError) -> Self {
        Self::Problem(unread(error))
    }
}

impl From<DbError> for Stop {
    fn from(error: DbError) -> Self {
        Self::Problem(unread(error))
    }
}

/// # Errors
/// `unauthenticated` for a token that opens nothing, `not-found` for an account that is not theirs.
pub(super) async fn identify(
    app: &App,
    access: &Access,
    asked: Option<AccountId>,
    text: &str,
    origin: &Origin,
) -> Result<Caller, Problem> {
    let address = origin.ip();
    let found = if access.admits(text) {
        installation(app, Actor::Bootstrap, May::Everything, salt(text), asked).await
    } else if text.starts_with(KEY) {
        by_key(app, text, address, asked).await
    } else if text.starts_with(SESSION) {
        by_session(app, text, asked).await
    } else {
        Err(Why::Unknown.into())
    };
    match found {
        Ok(caller) => Ok(Caller { address: origin.address(), ..caller }),
        Err(Stop::Problem(problem)) => Err(problem),
        Err(Stop::No(no)) => {
            access.refused.credential(app, origin, no).await;
            // Which of the reasons it was helps a thief more than its owner, who finds it in the audit.
            Err(Problem::new(Kind::Unauthenticated).detail("the token is not valid"))
        }
    }
}

/// Bound to the token, and known to nobody who does not have it.
fn salt(text: &str) -> [u8; 32] {
    Sha256::new().chain_update(b"idempotency").chain_update(text).finalize().into()
}

pub(super) fn account_asked(request: &ServiceRequest) -> Result<Option<AccountId>, Problem> {
    let Some(value) = request.headers().get("x-account") else { return Ok(None) };
    let id = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    id.map(Some).ok_or_else(|| Problem::new(Kind::NotFound).detail("X-Account names no account of yours"))
}

fn not_theirs() -> Stop {
    Stop::Problem(Problem::new(Kind::NotFound).detail("X-Account names no account of yours"))
}

async fn installation(
    app: &App,
    actor: Actor,
    may: May,
    salt: [u8; 32],
    asked: Option<AccountId>,
) -> Result<Caller, Stop> {
    if let Some(id) = asked {
        views::get::<AccountRow>(app.log.db(), id).await?.ok_or_else(not_theirs)?;
    }
    Ok(Caller { actor, address: None, salt, account: asked, may, session: None })
}

async fn by_key(app: &App, text: &str, from: Option<IpAddr>, asked: Option<AccountId>) -> Result<Caller, Stop> {
    let prefix = text[KEY.len()..].split('_').next().unwrap_or_default().to_owned();
    let filter = ApiKeyFilter { prefix: Some(prefix), ..ApiKeyFilter::default() };
    let page = views::page::<ApiKeyRow>(app.log.db(), &filter, &Page { limit: 1, ..Page::default() }).await?;
    let key = page.items.into_iter().next().ok_or(Why::Unknown)?;
    let no = |why| Err(Stop::No(No { why, key: Some(key.id), user: None }));
    let same: bool = token::hash(text).as_bytes().ct_eq(key.issued.hash.as_bytes()).into();
    let now = app.log.clock().now();
    if !same {
        return no(Why::Secret);
    }
    if key.revoked {
        return no(Why::Revoked);
    }
    if key.expires_at.is_some_and(|end| end <= now) {
        return no(Why::Expired);
    }
    if !key.issued.admits(from) {
        return no(Why::Address);
    }
    let may = May::only(key.issued.scopes.iter().copied());
    let actor = Actor::Key { id: key.id.uuid() };
    let caller = match key.issued.account {
        None => installation(app, actor, may, salt(text), asked).await?,
        Some(account) => {
            if views::get::<AccountRow>(app.log.db(), account).await?.is_none() {
                return no(Why::AccountClosed);
            }
            if asked.is_some_and(|asked| asked != account) {
                return Err(not_theirs());
            }
            Caller { actor, address: None, salt: salt(text), account: Some(account), may, session: None }
        }
    };
    used(app, &key, now, from).await;
    Ok(caller)
}

/// Not worth a refusal when it can't be written.
async fn used(app: &App, key: &ApiKeyRow, now: chrono::DateTime<chrono::Utc>, from: Option<IpAddr>) {
    let written = async {
        let last = key_uses::last_use(app.log.db(), key.id).await?;
        if last.is_none_or(|(at, _)| (now - at).num_seconds() >= USE_EVERY) {
            let from = from.map(|from| from.to_string());
            key_uses::used(app.log.db(), key.id, now, from.as_deref()).await?;
        }
        Ok::<_, DbError>(())
    };
    if let Err(error) = written.await {
        tracing::warn!(key.id = %key.id, %error, "the use of a key was not written down");
    }
}

async fn by_session(app: &App, text: &str, asked: Option<AccountId>) -> Result<Caller, Stop> {
    let session = sessions::by_access(app.log.db(), &token::hash(text)).await?.ok_or(Why::Unknown)?;
    let no = |why| Err(Stop::No(No { why, key: None, user: Some(session.user) }));
    if session.access_until <= app.log.clock().now() {
        return no(Why::Expired);
    }
    let user: Option<UserRow> = views::get(app.log.db(), session.user).await?;
    let Some(user) = user.filter(|user| !user.disabled) else { return no(Why::Disabled) };
    let actor = Actor::User { id: user.id.uuid() };
    // Of the session and not of its token: a request may be sent again after a refresh.
    let salt = salt(&session.id.to_string());
    if user.admin {
        let caller = installation(app, actor, May::Everything, salt, asked).await?;
        return Ok(Caller { session: Some(session), ..caller });
    }
    let (account, may) = membership(app, user.id, asked).await?;
    Ok(Caller { actor, address: None, salt, account, may, session: Some(session) })
}

/// What they are where they ask for; nothing when they are nowhere, or did not say where.
async fn membership(app: &App, user: UserId, asked: Option<AccountId>) -> Result<(Option<AccountId>, May), Stop> {
    let filter = MemberFilter { account: asked, user: Some(user) };
    let page = views::page::<MemberRow>(app.log.db(), &filter, &Page { limit: 2, ..Page::default() }).await?;
    match (page.items.as_slice(), asked) {
        ([one], _) if views::get::<AccountRow>(app.log.db(), one.account).await?.is_some() => {
            Ok((Some(one.account), of_role(one.role)))
        }
        (_, Some(_)) => Err(not_theirs()),
        _ => Ok((None, May::only([]))),
    }
}

fn of_role(role: Role) -> May {
    May::only(Permission::ALL.iter().copied().filter(|permission| role.permits(*permission)))
}
