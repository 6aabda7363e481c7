//! Signing in with a password, and staying so with tokens.

use chrono::TimeDelta;
use domain::access::Why;
use domain::user::{User, UserCommand};
use domain::{Actor, Aggregate as _, Meta, UserId};
use platform::log::{Append, ExecuteError};
use platform::people::profiles::{self, Change};
use platform::people::sessions::{self, Hashes, Session};
use platform::people::token;
use platform::views::{self, UserRow};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::accept::not_appended;
use crate::access::{Origin, SESSION};
use crate::app::App;
use crate::guesses::Guesses;
use crate::passwords::{self, Compared};
use crate::people::second_factor::{self, Refused};
use crate::problem::{Kind, Problem};
use crate::secret::Secret;
use crate::unread::unread;

const ACCESS: TimeDelta = TimeDelta::minutes(15);
const SESSION_LASTS: TimeDelta = TimeDelta::days(30);
const REFRESH: &str = "gantry_refresh_";

/// What one gets for a password, or for a refresh token.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "access_token": "gantry_access_…", "token_type": "Bearer", "expires_in": 900,
    "refresh_token": "gantry_refresh_…", "user": "01990000-0000-7000-8000-0000000000a1"
}))]
pub(crate) struct Tokens {
    /// For `Authorization: Bearer`.
    access_token: String,
    token_type: &'static str,
    /// Seconds.
    expires_in: i64,
    /// For one use: with it one gets the next two.
    refresh_token: String,
    user: Uuid,
}

/// What somebody signs in with.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) login: String,
    pub(crate) password: Secret,
    /// Of their second factor.
    pub(crate) code: Option<Secret>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("user", &self.user).finish_non_exhaustive()
    }
}

fn no() -> Problem {
    Problem::new(Kind::Unauthenticated).detail("login and password do not fit together")
}

fn meta(user: UserId, from: &Origin) -> Meta {
    Meta { address: from.address(), request: from.request, ..Meta::by(Actor::User { id: user.uuid() }) }
}

/// # Errors
/// `unauthenticated`, and `rate-limited` for who guesses.
pub(crate) async fn with_password(app: &App, from: &Origin, attempt: &Attempt) -> Result<Tokens, Problem> {
    let Attempt { login, password, code } = attempt;
    let login = login.trim().to_lowercase();
    let person = profiles::by_login(app.log.db(), &login).await.map_err(unread)?;
    let guesses = Guesses::of(&login, from);
    guesses.allowed(app, person.as_ref(), from).await?;
    let known = person.as_ref().and_then(|person| person.password.clone());
    let compared = passwords::compare(password, known).await?;
    let (Some(person), true) = (person.as_ref(), compared != Compared::Wrong) else {
        let times = guesses.count(app).await;
        match person {
            Some(person) => refused(app, person.id, from, times).await,
            None => app.access.refused_login(app, from, Why::Unknown).await,
        }
        return Err(no());
    };
    let user: Option<UserRow> = views::get(app.log.db(), person.id).await.map_err(unread)?;
    if user.is_none_or(|user| user.disabled) {
        app.access.refused_login(app, from, Why::Disabled).await;
        return Err(no());
    }
    pass(app, from, person.id, &guesses, code.as_ref()).await?;
    guesses.forget(app).await;
    let better = match compared {
        Compared::Outdated(hash) => Some(Change::SetPassword { id: person.id, hash }),
        Compared::Right | Compared::Wrong => None,
    };
    begin(app, person.id, from, better).await
}

/// # Errors
/// When it can't be written.
pub(crate) async fn begin(app: &App, user: UserId, from: &Origin, change: Option<Change>) -> Result<Tokens, Problem> {
    let now = app.log.clock().now();
    let (tokens, hashes) = new_tokens(user);
    let session = Session { id: Uuid::new_v4(), user, access_until: now + ACCESS, until: now + SESSION_LASTS };
    sessions::begin(app.log.db(), &session, &hashes, now, from.address().as_deref()).await.map_err(unread)?;
    tell(app, user, UserCommand::SignIn { session: session.id }, from, change).await?;
    Ok(tokens)
}

/// # Errors
/// `unauthenticated`; a token that had its use already ends its session: somebody else has it too.
pub(crate) async fn refreshed(app: &App, from: &Origin, refresh: &Secret) -> Result<Tokens, Problem> {
    let gone = || Problem::new(Kind::Unauthenticated).detail("the session has ended: sign in again");
    let hash = token::hash(refresh.expose());
    let db = app.log.db();
    let found = sessions::by_refresh(db, &hash).await.map_err(unread)?;
    let Some(session) = found else {
        app.access.refused_login(app, from, Why::Unknown).await;
        return Err(gone());
    };
    let now = app.log.clock().now();
    let user: Option<UserRow> = views::get(db, session.user).await.map_err(unread)?;
    if session.until <= now || user.is_none_or(|user| user.disabled) {
        app.access.refused_login(app, from, Why::Expired).await;
        return Err(gone());
    }
    let (tokens, hashes) = new_tokens(session.user);
    let until = (now + ACCESS).min(session.until);
    if sessions::renew(db, session.id, &hash, &hashes, until).await.map_err(unread)? {
        return Ok(tokens);
    }
    sessions::end(db, session.id).await.map_err(unread)?;
    tracing::warn!(user.id = %session.user, "a refresh token came a second time; its session was ended");
    tell(app, session.user, UserCommand::ReuseRefresh { session: session.id }, from, None).await?;
    Err(gone())
}

/// # Errors
/// When the log or the database can't be written.
pub(crate) async fn out(app: &App, from: &Origin, session: &Session, everywhere: bool) -> Result<(), Problem> {
    let db = app.log.db();
    let (ended, command) = match everywhere {
        true => (sessions::end_all(db, session.user).await, UserCommand::SignOutEverywhere),
        false => (sessions::end(db, session.id).await, UserCommand::SignOut { session: session.id }),
    };
    ended.map_err(unread)?;
    tell(app, session.user, command, from, None).await
}

/// A new password for somebody who knows the old one. Every session ends, this one too: whoever else knew it is out.
///
/// # Errors
/// `invalid` when the old one is wrong.
pub(crate) async fn changed(
    app: &App,
    from: &Origin,
    user: UserId,
    old: &Secret,
    new: &Secret,
) -> Result<Tokens, Problem> {
    proven(app, from, user, "old", old).await?;
    set(app, from, user, new, None).await?;
    begin(app, user, from, None).await
}

/// That it is them and not somebody who found their session open.
///
/// # Errors
/// `invalid`, naming the field that the wrong password came in.
pub(crate) async fn proven(
    app: &App,
    from: &Origin,
    user: UserId,
    field: &str,
    password: &Secret,
) -> Result<(), Problem> {
    let person = profiles::by_id(app.log.db(), user).await.map_err(unread)?;
    let person = person.ok_or_else(|| Problem::new(Kind::NotFound))?;
    let guesses = Guesses::of(&person.login, from);
    guesses.allowed(app, Some(&person), from).await?;
    if passwords::compare(password, person.password).await? == Compared::Wrong {
        let times = guesses.count(app).await;
        refused(app, user, from, times).await;
        let error = crate::paging::wrong(field, "is not your password", "give the one that you sign in with");
        return Err(Problem::new(Kind::Invalid).fields(vec![error]));
    }
    Ok(())
}

/// The second factor, for who has one: a wrong code counts as a wrong password does.
async fn pass(app: &App, from: &Origin, user: UserId, guesses: &Guesses, code: Option<&Secret>) -> Result<(), Problem> {
    let (used_before, why) = match second_factor::pass(app, meta(user, from), user, code).await {
        Ok(()) => return Ok(()),
        Err(Refused::Problem(problem)) => return Err(problem),
        Err(Refused::Missing) => return Err(Problem::new(Kind::CodeRequired)),
        Err(Refused::Wrong) => (false, "the code is wrong"),
        Err(Refused::Used) => (true, "the code was used already: wait for the next one"),
    };
    guesses.count(app).await;
    tell(app, user, UserCommand::RefuseCode { used_before }, from, None).await?;
    Err(Problem::new(Kind::CodeRequired).detail(why))
}

/// By a link that is good for one use.
///
/// # Errors
/// `not-found` for a link that is not ours, has expired or was used.
pub(crate) async fn by_link(
    app: &App,
    from: &Origin,
    link: &Secret,
    new: &Secret,
    code: Option<&Secret>,
) -> Result<Tokens, Problem> {
    let gone = || Problem::new(Kind::NotFound).detail("the link was used already or has expired: ask for another");
    let hash = token::hash(link.expose());
    let found = profiles::link(app.log.db(), &hash).await.map_err(unread)?;
    let now = app.log.clock().now();
    let Some((user, _)) = found.filter(|(_, until)| *until > now) else {
        app.access.refused_login(app, from, Why::Unknown).await;
        return Err(gone());
    };
    // Who has the letters has not the app yet.
    let guesses = Guesses::of(&user.to_string(), from);
    guesses.allowed(app, None, from).await?;
    pass(app, from, user, &guesses, code).await?;
    set(app, from, user, new, Some(hash)).await?;
    begin(app, user, from, None).await
}

async fn set(app: &App, from: &Origin, user: UserId, new: &Secret, link: Option<String>) -> Result<(), Problem> {
    let hash = passwords::hash(new).await?;
    let loaded = app.log.load::<User>(user).await.map_err(unread)?;
    let events = loaded.state.decide(UserCommand::SetPassword, &()).map_err(|_| Problem::new(Kind::NotFound))?;
    let events = events.iter().map(domain::Event::encode).collect::<Result<_, _>>().map_err(Problem::internal)?;
    let mut append = Append::new(meta(user, from)).stream(User::stream(user), loaded.expected(), events);
    append = link.map(|hash| Change::TakeLink { hash }.rows()).into_iter().fold(append, Append::with);
    let append = append
        .with(Change::SetPassword { id: user, hash }.rows())
        .with(Change::DropLinks { id: user, now: app.log.clock().now() }.rows());
    app.log.append(append).await.map_err(|error| not_appended(&error))?;
    sessions::end_all(app.log.db(), user).await.map_err(unread)
}

fn new_tokens(user: UserId) -> (Tokens, Hashes) {
    let [access, refresh] = [SESSION, REFRESH].map(|start| token::make(start).expose().to_owned());
    let hashes = Hashes { access: token::hash(&access), refresh: token::hash(&refresh) };
    let tokens = Tokens {
        access_token: access,
        token_type: "Bearer",
        expires_in: ACCESS.num_seconds(),
        refresh_token: refresh,
        user: user.uuid(),
    };
    (tokens, hashes)
}

async fn tell(
    app: &App,
    user: UserId,
    command: UserCommand,
    from: &Origin,
    change: Option<Change>,
) -> Result<(), Problem> {
    let failed = |error| match error {
        ExecuteError::Rejected(_) => no(),
        ExecuteError::Append(error) => not_appended(&error),
        ExecuteError::Log(error) => unread(error),
    };
    app.log.execute::<User>(user, command, &(), meta(user, from)).await.map_err(failed)?;
    if let Some(change) = change {
        let append = Append::new(meta(user, from)).with(change.rows());
        app.log.append(append).await.map_err(|error| not_appended(&error))?;
    }
    Ok(())
}

/// In the audit with the first and every tenth: nobody fills the log by guessing.
async fn refused(app: &App, user: UserId, from: &Origin, times: u64) {
    if times != 1 && !times.is_multiple_of(10) {
        return;
    }
    let times = u32::try_from(times).unwrap_or(u32::MAX);
    if let Err(problem) = tell(app, user, UserCommand::RefuseSignIn { times }, from, None).await {
        tracing::error!(user.id = %user, %problem, "a refusal was not recorded");
    }
}
