//! The chain: each event's hash covers the hash before it, so nothing can be changed, removed or moved unnoticed.
//!
//! `body` covers what is known before the append and is computed outside of the head's lock; `link` adds the place.
//! Lengths go before texts, so that no two events share an encoding. Changing any of this breaks every log there is.

use sha2::{Digest as _, Sha256};

pub type Hash = [u8; 32];

/// What the first event's hash covers as "the hash before".
pub const GENESIS: Hash = [0; 32];

#[must_use]
pub fn body(stream: &str, kind: &str, kind_version: u16, data: &str, meta: &str) -> Hash {
    let mut hasher = Sha256::new();
    for text in [stream, kind, data, meta] {
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text);
    }
    hasher.update(kind_version.to_be_bytes());
    hasher.finalize().into()
}

#[must_use]
pub fn link(before: &Hash, position: i64, version: i64, recorded_at: i64, body: &Hash) -> Hash {
    let mut hasher = Sha256::new();
    hasher.update(before);
    hasher.update(position.to_be_bytes());
    hasher.update(version.to_be_bytes());
    hasher.update(recorded_at.to_be_bytes());
    hasher.update(body);
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_never_changes() {
        let body = body("operation-1", "operation.accepted", 1, "{}", "{}");
        let link = link(&GENESIS, 1, 1, 1_700_000_000_000_000, &body);
        assert_eq!(hex::encode(link), "2788e9a4163952c9286f12c4bcc27de1ece2e62fc377278b4b41303dbaa76192");
    }

    #[test]
    fn moving_a_letter_from_one_field_to_the_next_changes_the_hash() {
        assert_ne!(body("ab", "c", 1, "{}", "{}"), body("a", "bc", 1, "{}", "{}"));
    }

    #[test]
    fn json_is_written_with_sorted_keys() {
        // Export and import rely on it: what is read from a line is hashed as it was when it was appended.
        let value: serde_json::Value = serde_json::from_str(r#"{"b":1,"a":{"d":1.0,"c":1e300}}"#).unwrap();
        assert_eq!(value.to_string(), r#"{"a":{"c":1e+300,"d":1.0},"b":1}"#);
    }
}
