//! People coming in and going: the first of all, those who are asked in or ask themselves, those who forgot their password.

pub(crate) mod invite;
mod letters;
pub(crate) mod newcomer;
pub(crate) mod registering;
pub(crate) mod reset;
pub(crate) mod second_factor;
pub(crate) mod set_up;
mod totp;

use std::sync::Arc;
use std::time::Duration;

use platform::mail::{Letter, Mail};
use platform::vault::SecretText;

use crate::oidc::Oidc;
use crate::problem::{Kind, Problem};

/// Who may become a user.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Registration {
    /// Whom administrators of the installation let in.
    #[default]
    Closed,
    /// Also whom an account's administrators ask in.
    Invitation,
    /// Also who has an e-mail address.
    Open,
}

/// What the API knows of dealing with people.
#[derive(Clone, Default)]
pub struct People {
    pub registration: Registration,
    /// Under which address people reach this API; none: no letter is written.
    pub url: Option<String>,
    pub mail: Option<Arc<dyn Mail>>,
    /// By which people may sign in, too.
    pub oidc: Option<Oidc>,
}

impl std::fmt::Debug for People {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("People").field("registration", &self.registration).finish_non_exhaustive()
    }
}

/// Waited before it is tried again.
const AGAIN: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(20)];

/// Where letters go out, and under which address people reach us.
#[derive(Clone)]
pub(crate) struct Post {
    mail: Arc<dyn Mail>,
    url: String,
}

impl People {
    /// None when nothing is said of how letters go out.
    pub(crate) fn post(&self) -> Option<Post> {
        Some(Post { mail: self.mail.clone()?, url: self.url.clone()? })
    }

    /// # Errors
    /// `not-possible`.
    pub(crate) fn needs_post(&self) -> Result<Post, Problem> {
        let why = "this installation sends no e-mail: ask an administrator";
        self.post().ok_or_else(|| Problem::new(Kind::NotPossible).detail(why))
    }
}

impl Post {
    /// Where a page of ours is; what opens something stands behind the `#`, which browsers keep to themselves.
    fn page(&self, name: &str, link: &str) -> String {
        format!("{}/welcome/{name}#{link}", self.url.trim_end_matches('/'))
    }

    /// Tried a few times; who waits for the letter can ask for another.
    async fn send(&self, to: &str, subject: &'static str, text: String) {
        let letter = Letter { to: to.to_owned(), subject, text: SecretText::from(text) };
        for pause in AGAIN.into_iter().map(Some).chain([None]) {
            let Err(error) = self.mail.send(letter.clone()).await else { return };
            let Some(pause) = pause else {
                tracing::error!(%error, "a letter was not sent, and is not tried again");
                return;
            };
            tracing::warn!(%error, "a letter was not sent, it is tried again");
            tokio::time::sleep(pause).await;
        }
    }
}
