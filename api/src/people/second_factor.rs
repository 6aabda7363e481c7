//! Having a second factor, and being asked for it.

use domain::user::{User, UserCommand};
use domain::{Aggregate as _, Event as _, Meta, UserId};
use platform::log::Append;
use platform::people::second_factor::{self, Change, Factor};
use platform::people::{profiles, token};
use platform::vault::SecretBytes;

use super::totp::{self, Looked};
use crate::accept::not_appended;
use crate::app::App;
use crate::paging::wrong;
use crate::problem::{Kind, Problem};
use crate::secret::Secret;
use crate::unread::unread;

/// What a person's app is told, once.
pub(crate) struct Offered {
    pub(crate) secret: String,
    pub(crate) uri: String,
}

/// Why a code opens nothing.
#[derive(Debug)]
pub(crate) enum Refused {
    /// None was given.
    Missing,
    Wrong,
    /// It was good, and was used before: somebody looked over a shoulder.
    Used,
    Problem(Problem),
}

pub(crate) async fn find(app: &App, user: UserId) -> Result<Option<Factor>, Problem> {
    second_factor::find(app.log.db(), user).await.map_err(unread)
}

/// A secret that is asked for only once its holder has shown that they have it.
///
/// # Errors
/// `not-possible` when there is one in force.
pub(crate) async fn offer(app: &App, meta: Meta, user: UserId) -> Result<Offered, Problem> {
    let before = find(app, user).await?;
    if before.is_some_and(|factor| factor.confirmed) {
        return Err(in_force());
    }
    let person = profiles::by_id(app.log.db(), user).await.map_err(unread)?;
    let login = person.ok_or_else(|| Problem::new(Kind::NotFound))?.login;
    let secret = totp::secret();
    let offered = Offered { secret: totp::in_letters(&secret), uri: totp::uri(&secret, &login) };
    let (sealed, row) = app.vault.seal(&format!("user-{user}/totp"), secret).map_err(Problem::internal)?;
    let append = Append::new(meta).with(row).with(Change::Begin { user, sealed }.rows());
    append_or(app, append, in_force).await?;
    if let Some(before) = before {
        forget(app, before).await;
    }
    Ok(offered)
}

/// The codes for who loses it; told once.
///
/// # Errors
/// `invalid` for a wrong code, `not-possible` when there is none to confirm.
pub(crate) async fn confirm(app: &App, meta: Meta, user: UserId, code: &Secret) -> Result<Vec<String>, Problem> {
    let factor = find(app, user).await?.ok_or_else(none)?;
    if factor.confirmed {
        return Err(in_force());
    }
    let Looked::Good(step) = totp::look(&secret(app, &factor).await?, code.expose().trim(), 0, app.log.clock().now())
    else {
        let error = wrong("code", "is not the one of now", "give the one that the app shows");
        return Err(Problem::new(Kind::Invalid).fields(vec![error]));
    };
    let codes = totp::recovery_codes();
    let hashes = codes.iter().map(|code| token::hash(&totp::plain(code))).collect();
    let append = saying(app, meta, user, UserCommand::EnableTotp).await?;
    append_or(app, append.with(Change::Confirm { user, step, codes: hashes }.rows()), in_force).await?;
    Ok(codes)
}

/// # Errors
/// `not-possible` when there is none.
pub(crate) async fn end(app: &App, meta: Meta, user: UserId) -> Result<(), Problem> {
    let factor = find(app, user).await?.ok_or_else(none)?;
    let append = match factor.confirmed {
        true => saying(app, meta, user, UserCommand::DisableTotp).await?,
        false => Append::new(meta),
    };
    append_or(app, append.with(Change::End { user }.rows()), none).await?;
    forget(app, factor).await;
    Ok(())
}

/// Uses up a code of the app, or one for who lost it. Good for who has no second factor.
///
/// # Errors
/// Why it opens nothing.
pub(crate) async fn pass(app: &App, meta: Meta, user: UserId, code: Option<&Secret>) -> Result<(), Refused> {
    let factor = find(app, user).await.map_err(Refused::Problem)?;
    let Some(factor) = factor.filter(|factor| factor.confirmed) else { return Ok(()) };
    let code = code.filter(|code| !code.expose().trim().is_empty()).ok_or(Refused::Missing)?;
    let is_recovery = totp::plain(code.expose()).len() == 16;
    let append = if is_recovery {
        let hash = token::hash(&totp::plain(code.expose()));
        let said = saying(app, meta, user, UserCommand::UseRecoveryCode).await.map_err(Refused::Problem)?;
        said.with(Change::TakeCode { user, hash }.rows())
    } else {
        let secret = secret(app, &factor).await.map_err(Refused::Problem)?;
        match totp::look(&secret, code.expose().trim(), factor.last_step, app.log.clock().now()) {
            Looked::Good(step) => Append::new(meta).with(Change::Use { user, step }.rows()),
            Looked::Used => return Err(Refused::Used),
            Looked::Wrong => return Err(Refused::Wrong),
        }
    };
    match app.log.append(append).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_refused() && is_recovery => Err(Refused::Wrong),
        Err(error) if error.is_refused() => Err(Refused::Used),
        Err(error) => Err(Refused::Problem(not_appended(&error))),
    }
}

async fn saying(app: &App, meta: Meta, user: UserId, command: UserCommand) -> Result<Append, Problem> {
    let loaded = app.log.load::<User>(user).await.map_err(unread)?;
    let said =
        loaded.state.decide(command, &()).map_err(|no| Problem::new(Kind::NotPossible).detail(no.to_string()))?;
    let said = said.iter().map(|event| event.encode()).collect::<Result<_, _>>().map_err(Problem::internal)?;
    Ok(Append::new(meta).stream(User::stream(user), loaded.expected(), said))
}

async fn append_or(app: &App, append: Append, refused: fn() -> Problem) -> Result<(), Problem> {
    match app.log.append(append).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_refused() || error.is_conflict() => Err(refused()),
        Err(error) => Err(not_appended(&error)),
    }
}

async fn secret(app: &App, factor: &Factor) -> Result<SecretBytes, Problem> {
    app.vault.open(factor.sealed).await.map_err(Problem::internal)
}

/// What is left of a secret that nothing names harms nobody: it is sealed.
async fn forget(app: &App, factor: Factor) {
    if let Err(error) = app.vault.forget(factor.sealed).await {
        tracing::warn!(%error, "a sealed row that nothing names any more was not deleted");
    }
}

fn in_force() -> Problem {
    Problem::new(Kind::NotPossible).detail("a second factor is in force: disable it first")
}

fn none() -> Problem {
    Problem::new(Kind::NotPossible).detail("there is no second factor")
}
