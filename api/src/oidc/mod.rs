//! Signing in by an identity at another provider: OpenID Connect, authorization code with a proof key.

mod provider;
mod token;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use domain::access::Why;
use domain::user::{User, UserCommand};
use domain::{Actor, Aggregate as _, Event as _, Meta, UserId};
use platform::log::Append;
use platform::people::identities::{self, Attempt, Change};
use platform::people::{profiles, token as random};
use platform::vault::SecretText;
use platform::views::{self, UserRow};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::access::Origin;
use crate::app::App;
use crate::people::Registration;
use crate::people::newcomer::{self, Newcomer};
use crate::problem::{Kind, Problem};
use crate::sign_in::{self, Tokens};
use crate::unread::unread;
pub use provider::Client;
use provider::{Provider, ProviderError};
use token::Identity;

/// How long somebody may take at the provider.
const MINUTES: i64 = 10;

/// The provider that people may sign in by.
#[derive(Clone)]
pub struct Oidc(Arc<Provider>);

/// A sign-in that was begun.
pub(crate) struct Begun {
    pub(crate) url: String,
    pub(crate) state: String,
}

impl Oidc {
    /// # Errors
    /// When there is no way to ask anybody over HTTPS.
    pub fn new(client: Client) -> Result<Self, reqwest::Error> {
        Provider::new(client).map(|provider| Self(Arc::new(provider)))
    }
}

fn of(app: &App) -> Result<&Provider, Problem> {
    let none = || Problem::new(Kind::NotPossible).detail("nobody signs in by another provider here");
    app.people.oidc.as_ref().map(|oidc| &*oidc.0).ok_or_else(none)
}

/// `port`: where a program on the caller's own machine waits for the answer (RFC 8252, 7.3).
///
/// # Errors
/// `not-possible` where there is no provider, `unavailable` when it does not answer.
pub(crate) async fn begin(app: &App, port: u16) -> Result<Begun, Problem> {
    let provider = of(app)?;
    let redirect = format!("http://127.0.0.1:{port}/");
    let [state, nonce, verifier] = [(); 3].map(|()| random::random::<32>());
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    let attempt = Attempt { nonce, verifier, redirect };
    let url = provider.door(&state, &challenge, &attempt).await.map_err(away)?;
    let now = app.log.clock().now();
    let until = now + TimeDelta::minutes(MINUTES);
    let begun = identities::begin(app.log.db(), &random::hash(&state), &attempt, now, until).await;
    begun.map_err(unread)?;
    Ok(Begun { url, state })
}

/// # Errors
/// `unauthenticated` for what is not believed, `forbidden` for who has no login here and may not get one by this.
pub(crate) async fn finish(app: &App, from: &Origin, state: &SecretText, code: &SecretText) -> Result<Tokens, Problem> {
    let provider = of(app)?;
    let (db, now) = (app.log.db(), app.log.clock().now());
    let taken = identities::take(db, &random::hash(state.expose()), now).await;
    let Some(attempt) = taken.map_err(unread)? else {
        app.access.refused_login(app, from, Why::Unknown).await;
        return Err(Problem::new(Kind::Unauthenticated).detail("this sign-in was finished already, or has expired"));
    };
    let identity = match provider.who(code, &attempt, now).await {
        Ok(identity) => identity,
        Err(error @ ProviderError::Away(_)) => return Err(away(error)),
        Err(error) => {
            tracing::warn!(%error, "a sign-in by another provider was refused");
            app.access.refused_login(app, from, Why::Secret).await;
            return Err(Problem::new(Kind::Unauthenticated).detail("the provider's word for you is not believed"));
        }
    };
    let user = known(app, from, identity).await?;
    let row: Option<UserRow> = views::get(db, user).await.map_err(unread)?;
    if row.is_none_or(|row| row.disabled) {
        app.access.refused_login(app, from, Why::Disabled).await;
        return Err(Problem::new(Kind::Unauthenticated).detail("this login is disabled"));
    }
    sign_in::begin(app, user, from, None).await
}

fn away(error: ProviderError) -> Problem {
    tracing::error!(%error, "the identity provider can't be asked");
    Problem::new(Kind::Unavailable).detail("the identity provider does not answer as it should")
}

/// Whose identity it is: as it was linked, else whose address the provider has seen to be theirs, else somebody new.
async fn known(app: &App, from: &Origin, identity: Identity) -> Result<UserId, Problem> {
    let (db, now) = (app.log.db(), app.log.clock().now());
    let found = identities::find(db, &identity.issuer, &identity.subject).await;
    if let Some(user) = found.map_err(unread)? {
        return Ok(user);
    }
    let nobody = || {
        let why = "you have no login here that this identity belongs to: ask an administrator";
        Problem::new(Kind::Forbidden).detail(why)
    };
    let email = identity.email.clone().filter(|email| newcomer::email_fault("email", email).is_none());
    let email = email.ok_or_else(nobody)?;
    let person = profiles::by_login(db, &email).await.map_err(unread)?;
    let id = person.as_ref().map_or_else(|| UserId::new(Uuid::now_v7()), |person| person.id);
    let meta = Meta { address: from.address(), request: from.request, ..Meta::by(Actor::User { id: id.uuid() }) };
    let link = UserCommand::LinkIdentity { issuer: identity.issuer.clone() };
    let append = match &person {
        Some(_) => {
            let loaded = app.log.load::<User>(id).await.map_err(unread)?;
            let said = loaded.state.decide(link, &()).map_err(|_| nobody())?;
            let said = said.iter().map(|event| event.encode()).collect::<Result<_, _>>().map_err(Problem::internal)?;
            Append::new(meta).stream(User::stream(id), loaded.expected(), said)
        }
        None if app.people.registration == Registration::Open => {
            let name = identity.name.clone().filter(|name| newcomer::name_fault(Some(name)).is_none());
            let who = Newcomer { login: email, name, identity: Some(identity.issuer.clone()), ..Newcomer::default() };
            who.append(id, meta, now)?
        }
        None => return Err(nobody()),
    };
    let row = Change::Link { user: id, issuer: identity.issuer, subject: identity.subject };
    app.log.append(append.with(row.rows())).await.map_err(|error| newcomer::refused(&error))?;
    Ok(id)
}
