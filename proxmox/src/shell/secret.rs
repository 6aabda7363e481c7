//! Bytes that no log, error or process list may show.

use std::fmt;

use zeroize::Zeroizing;

#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    pub fn new(content: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(content.into()))
    }

    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn into_inner(self) -> Zeroizing<Vec<u8>> {
        self.0
    }
}

impl From<&str> for Secret {
    fn from(content: &str) -> Self {
        Self::new(content)
    }
}

impl From<String> for Secret {
    fn from(content: String) -> Self {
        Self::new(content)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}
