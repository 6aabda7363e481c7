//! What must not be seen: not printed, not serialised, wiped when it is dropped.

use std::fmt;

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// Secret bytes.
#[derive(Clone)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

/// Secret text; a request's body may hold one.
#[derive(Clone)]
pub struct SecretText(Zeroizing<String>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the secret is no UTF-8 text")]
pub struct NotText;

impl SecretBytes {
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// # Errors
    /// When it is no UTF-8.
    pub fn into_text(self) -> Result<SecretText, NotText> {
        std::str::from_utf8(&self.0).map(|text| SecretText(Zeroizing::new(text.to_owned()))).map_err(|_| NotText)
    }
}

impl SecretText {
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<Vec<u8>> for SecretBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl From<String> for SecretBytes {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

impl From<SecretText> for SecretBytes {
    fn from(mut text: SecretText) -> Self {
        std::mem::take(&mut *text.0).into_bytes().into()
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
