//! Letters to people, behind one interface; by SMTP today.

mod place;
mod smtp;
#[cfg(test)]
mod tests;

use futures_util::future::BoxFuture;

use crate::vault::SecretText;

pub use smtp::Smtp;

/// Its text may hold a link that opens something.
#[derive(Clone)]
pub struct Letter {
    pub to: String,
    pub subject: &'static str,
    pub text: SecretText,
}

impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letter").field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// In none of them is an address of somebody, or a password.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    #[error("{key} can't be used: write {wanted}")]
    Settings { key: &'static str, wanted: &'static str },
    #[error("the letter's address is none")]
    Address,
    #[error("the mail server does not answer: {0}")]
    Away(#[from] std::io::Error),
    #[error("the mail server did not answer in time")]
    Slow,
    #[error("the mail server says {code} to {asked}")]
    Refused { asked: &'static str, code: u16 },
    #[error("the mail server offers no {0}")]
    Offers(&'static str),
}

/// Whoever carries letters.
pub trait Mail: Send + Sync {
    fn send(&self, letter: Letter) -> BoxFuture<'_, Result<(), MailError>>;
}
