//! A secret in a request: read, never written or shown, wiped when it is done with.

use platform::vault::SecretBytes;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::paging::wrong;
use crate::problem::FieldProblem;

#[derive(Clone, Deserialize)]
#[serde(from = "String")]
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    #[must_use]
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// For the vault.
    #[must_use]
    pub(crate) fn bytes(&self) -> SecretBytes {
        self.0.as_bytes().to_vec().into()
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// 24 letters and digits: 142 bits.
#[must_use]
pub(crate) fn generate() -> Secret {
    use rand::distr::{Alphanumeric, SampleString as _};
    Alphanumeric.sample_string(&mut rand::rng(), 24).into()
}

/// What is wrong with it as root's password, if anything is.
#[must_use]
pub(crate) fn password_fault(password: &Secret) -> Option<FieldProblem> {
    let text = password.expose();
    let fits = (8..=128).contains(&text.chars().count()) && !text.contains(|c: char| c.is_control() || c == ':');
    let fix = "8 to 128 letters, digits and signs in one line, without a colon; or leave it out";
    (!fits).then(|| wrong("root_password", "can't be a password", fix))
}
