//! Tokens that we hand out: random, shown once, kept as a hash.

use rand::Rng as _;
use sha2::{Digest as _, Sha256};

use crate::vault::SecretText;

/// 256 random bits in hex behind `start`.
#[must_use]
pub fn make(start: &str) -> SecretText {
    format!("{start}{}", random::<32>()).into()
}

/// So many random bytes, in hex.
#[must_use]
pub fn random<const N: usize>() -> String {
    let mut bytes = [0_u8; N];
    rand::rng().fill_bytes(&mut bytes);
    hex::encode(bytes)
}

/// SHA-256 in hex: of 256 random bits, it gives nothing away.
#[must_use]
pub fn hash(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}
