//! A person who becomes a user: their events, and the row that names them.

use chrono::{DateTime, Utc};
use domain::user::{User, UserCommand};
use domain::{Aggregate as _, Event as _, Meta, UserId};
use platform::log::{Append, AppendError, Expected};
use platform::people::profiles::Change;

use crate::accept::not_appended;
use crate::paging::wrong;
use crate::problem::{FieldProblem, Kind, Problem};

#[derive(Debug, Default)]
pub(crate) struct Newcomer {
    /// As [`login`] leaves it.
    pub(crate) login: String,
    pub(crate) name: Option<String>,
    /// Of their password, when they have one already.
    pub(crate) hash: Option<String>,
    pub(crate) admin: bool,
    /// The provider at which they have an identity that they came with.
    pub(crate) identity: Option<String>,
}

impl Newcomer {
    /// # Errors
    /// Never but by our own mistake.
    pub(crate) fn append(self, id: UserId, meta: Meta, now: DateTime<Utc>) -> Result<Append, Problem> {
        let created = UserCommand::Create { admin: self.admin };
        let (mut user, mut events) = (User::default(), Vec::new());
        let password = self.hash.as_ref().map(|_| UserCommand::SetPassword);
        let identity = self.identity.map(|issuer| UserCommand::LinkIdentity { issuer });
        for command in [Some(created), password, identity].into_iter().flatten() {
            for event in user.decide(command, &()).map_err(Problem::internal)? {
                user = user.evolve(&event);
                events.push(event.encode().map_err(Problem::internal)?);
            }
        }
        let row = Change::Add { id, login: self.login, name: self.name, password: self.hash, at: now };
        Ok(Append::new(meta).stream(User::stream(id), Expected::New, events).with(row.rows()))
    }
}

/// A login as it is kept.
pub(crate) fn login(text: Option<&str>) -> String {
    text.unwrap_or_default().trim().to_lowercase()
}

/// What is wrong with it.
pub(crate) fn login_fault(field: &str, login: &str) -> Option<FieldProblem> {
    let fits = (1..=254).contains(&login.len()) && !login.contains(|c: char| c.is_whitespace() || c.is_control());
    (!fits).then(|| wrong(field, "is no login", "1 to 254 letters, digits and signs, no spaces"))
}

/// What is wrong with it as an address that letters are to reach.
pub(crate) fn email_fault(field: &str, email: &str) -> Option<FieldProblem> {
    let parts =
        email.split_once('@').filter(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'));
    let plain = email.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '<' | '>' | ',' | ';' | ':' | '"' | '\\'));
    let fits = parts.is_some() && plain && login_fault(field, email).is_none();
    (!fits).then(|| wrong(field, "is no e-mail address", "one like ann@example.org"))
}

/// What is wrong with how somebody wants to be called.
pub(crate) fn name_fault(name: Option<&str>) -> Option<FieldProblem> {
    let fits = name.is_none_or(|name| (1..=100).contains(&name.chars().count()) && !name.contains(char::is_control));
    (!fits).then(|| wrong("name", "can't be a name", "1 to 100 letters, or leave it out"))
}

/// What an append that makes somebody failed with.
pub(crate) fn refused(error: &AppendError) -> Problem {
    if !error.is_taken() {
        return not_appended(error);
    }
    let taken = wrong("login", "is somebody's", "choose another");
    Problem::new(Kind::Conflict).detail("somebody has this login").fields(vec![taken])
}
