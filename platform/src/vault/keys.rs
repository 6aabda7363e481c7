//! The keys and the cipher. The first key seals; the others only open what they sealed once.

use std::{fmt, sync::Arc};

use aes_gcm::{AeadInOut as _, Aes256Gcm, KeyInit as _, Nonce, aead::Generate as _};
use domain::SealedId;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{SecretBytes, SecretText, VaultError};

const BYTES: usize = 32;
const HEX: usize = 2 * BYTES;
/// Shorter than a key, so that a key can't be taken for a name and be shown.
const LONGEST_NAME: usize = 32;
const TAG: usize = 16;

/// One or more keys. Cheap to clone, shows only their names.
#[derive(Clone)]
pub struct Keys(Arc<[Key]>);

struct Key {
    id: String,
    cipher: Aes256Gcm,
}

/// What a row holds of a secret.
#[derive(Debug, Clone)]
pub(super) struct Sealed {
    pub key: String,
    pub nonce: Vec<u8>,
    pub ciphertext: Vec<u8>,
}

/// What is wrong with the keys; `place` counts from 1. Never holds a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    #[error("there is no vault key: make one with `gantry keys new` and set it as GANTRY_VAULT_KEYS")]
    None,
    #[error(
        "vault key {place} has {found} characters, a key is {HEX} hexadecimal characters: make one with `gantry keys new`"
    )]
    Length { place: usize, found: usize },
    #[error(
        "vault key {place} has a character at {at} that is not hexadecimal (0-9, a-f): make one with `gantry keys new`"
    )]
    Character { place: usize, at: usize },
    #[error(
        "the name of vault key {place} must be 1 to {LONGEST_NAME} of a-z, A-Z, 0-9, `-`, `_`: keys are written name:key or key, with commas between; make one with `gantry keys new`"
    )]
    Name { place: usize },
    #[error("vault key {place} has the name of an earlier one: give each its own name")]
    Twice { place: usize },
}

/// A new key, as it is written in GANTRY_VAULT_KEYS.
///
/// # Errors
/// When the system gives no random numbers.
pub fn new_key() -> Result<SecretText, VaultError> {
    let bytes = Zeroizing::new(<[u8; BYTES]>::try_generate().map_err(|_| VaultError::Seal)?);
    Ok(hex::encode(*bytes).into())
}

impl Keys {
    /// Reads `name:key,name2:key2`; a key without a name gets one made from itself.
    ///
    /// # Errors
    /// When a key or a name is not as it has to be.
    pub fn parse(text: &str) -> Result<Self, KeysError> {
        let mut keys: Vec<Key> = Vec::new();
        for (index, part) in text.split(',').map(str::trim).filter(|part| !part.is_empty()).enumerate() {
            let key = one(part, index + 1)?;
            if keys.iter().any(|earlier| earlier.id == key.id) {
                return Err(KeysError::Twice { place: index + 1 });
            }
            keys.push(key);
        }
        if keys.is_empty() { Err(KeysError::None) } else { Ok(Self(keys.into())) }
    }

    /// The names, the one that seals first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|key| key.id.as_str())
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.0.iter().any(|key| key.id == id)
    }

    /// The name of the key that seals.
    pub(super) fn first(&self) -> &str {
        &self.0[0].id
    }

    pub(super) fn seal(&self, id: SealedId, record: &str, content: &[u8]) -> Result<Sealed, VaultError> {
        let key = &self.0[0];
        let nonce = Nonce::try_generate().map_err(|_| VaultError::Seal)?;
        // Room for the tag from the start: growing would leave a copy of the content behind.
        let mut text = Zeroizing::new(Vec::with_capacity(content.len() + TAG));
        text.extend_from_slice(content);
        key.cipher
            .encrypt_in_place(&nonce, &bound_to(&key.id, id, record), &mut *text)
            .map_err(|_| VaultError::Seal)?;
        Ok(Sealed { key: key.id.clone(), nonce: nonce.to_vec(), ciphertext: std::mem::take(&mut *text) })
    }

    pub(super) fn open(&self, id: SealedId, record: &str, sealed: &Sealed) -> Result<SecretBytes, VaultError> {
        let no_such_key = || VaultError::NoSuchKey { key: sealed.key.clone() };
        let damaged = || VaultError::Damaged { id, key: sealed.key.clone() };
        let key = self.0.iter().find(|key| key.id == sealed.key).ok_or_else(no_such_key)?;
        let nonce = Nonce::try_from(sealed.nonce.as_slice()).map_err(|_| damaged())?;
        let mut text = Zeroizing::new(sealed.ciphertext.clone());
        key.cipher.decrypt_in_place(&nonce, &bound_to(&key.id, id, record), &mut *text).map_err(|_| damaged())?;
        Ok(std::mem::take(&mut *text).into())
    }
}

/// A name of a key has no line break and an id has one length: two different bindings never make the same bytes.
fn bound_to(key: &str, id: SealedId, record: &str) -> Vec<u8> {
    format!("{key}\n{id}\n{record}").into_bytes()
}

fn one(part: &str, place: usize) -> Result<Key, KeysError> {
    let (name, key) = match part.split_once(':') {
        Some((name, key)) => (Some(name.trim()), key.trim()),
        None => (None, part),
    };
    if name.is_some_and(|name| !is_name(name)) {
        return Err(KeysError::Name { place });
    }
    if let Some(at) = key.chars().position(|c| !c.is_ascii_hexdigit()) {
        return Err(KeysError::Character { place, at: at + 1 });
    }
    let mut bytes = Zeroizing::new([0; BYTES]);
    hex::decode_to_slice(key, &mut *bytes).map_err(|_| KeysError::Length { place, found: key.len() })?;
    let id = name.map_or_else(|| name_of(&*bytes), str::to_owned);
    Ok(Key { id, cipher: Aes256Gcm::new((&*bytes).into()) })
}

fn is_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
}

/// Tells keys apart and nothing about them.
fn name_of(key: &[u8]) -> String {
    let digest = Sha256::new().chain_update(b"the name of a gantry vault key\n").chain_update(key).finalize();
    hex::encode(&digest[..4])
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const A: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const B: &str = "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1eff";

    fn refused(text: &str) -> KeysError {
        let error = Keys::parse(text).unwrap_err();
        for secret in [A, B, &A[..20], &B[..20]] {
            assert!(!error.to_string().contains(secret), "{error}");
        }
        assert!(error.to_string().contains("gantry keys new") || matches!(error, KeysError::Twice { .. }));
        error
    }

    #[test]
    fn keys_are_read_with_and_without_names() {
        let keys = Keys::parse(&format!(" new:{} , {B},", A.to_uppercase())).unwrap();
        assert_eq!(keys.names().next(), Some("new"));
        assert_eq!(keys.names().nth(1).map(str::len), Some(8));
        assert!(!format!("{keys:?}").contains(B));
        assert_eq!(Keys::parse(new_key().unwrap().expose()).unwrap().names().count(), 1);
    }

    #[test]
    fn a_wrong_key_is_refused_without_showing_it() {
        assert_eq!(refused(""), KeysError::None);
        assert_eq!(refused(" , "), KeysError::None);
        assert_eq!(refused(&A[1..]), KeysError::Length { place: 1, found: 63 });
        assert_eq!(refused(&format!("{A},{B}00")), KeysError::Length { place: 2, found: 66 });
        assert_eq!(refused(&format!("{A},b:")), KeysError::Length { place: 2, found: 0 });
        assert_eq!(refused(&A.replace('e', "ö")), KeysError::Character { place: 1, at: 30 });
        assert_eq!(refused(&format!("{A}:x")), KeysError::Name { place: 1 });
        assert_eq!(refused(&format!("a:b:{A}")), KeysError::Character { place: 1, at: 2 });
        assert_eq!(refused(&format!("a:{A},a:{B}")), KeysError::Twice { place: 2 });
        assert_eq!(refused(&format!("{A},{A}")), KeysError::Twice { place: 2 });
    }

    proptest! {
        #[test]
        fn what_was_sealed_opens_only_where_it_belongs(
            content in proptest::collection::vec(any::<u8>(), 0..300),
            record in ".{0,20}",
            byte in any::<proptest::sample::Index>(),
            bit in 0..8_u8,
        ) {
            let keys = Keys::parse(&format!("a:{A},b:{B}")).unwrap();
            let id = SealedId::new(Uuid::now_v7());
            let sealed = keys.seal(id, &record, &content).unwrap();
            let opened = keys.open(id, &record, &sealed).unwrap();
            prop_assert_eq!(opened.expose(), &*content);
            if content.len() > 3 {
                prop_assert!(!sealed.ciphertext.windows(content.len()).any(|part| part == content));
            }
            let damaged = |result: Result<SecretBytes, VaultError>| matches!(result, Err(VaultError::Damaged { .. }));
            prop_assert!(damaged(keys.open(SealedId::new(Uuid::now_v7()), &record, &sealed)));
            let other_record = damaged(keys.open(id, &(record.clone() + "x"), &sealed));
            prop_assert!(other_record);
            let other_key = Sealed { key: "b".into(), ..sealed.clone() };
            prop_assert!(damaged(keys.open(id, &record, &other_key)));
            let same_key_other_name = Keys::parse(&format!("c:{A}")).unwrap();
            let renamed = Sealed { key: "c".into(), ..sealed.clone() };
            prop_assert!(damaged(same_key_other_name.open(id, &record, &renamed)));
            let mut flipped = sealed.clone();
            let at = byte.index(flipped.ciphertext.len());
            flipped.ciphertext[at] ^= 1 << bit;
            prop_assert!(damaged(keys.open(id, &record, &flipped)));
            let mut flipped = sealed.clone();
            flipped.nonce[byte.index(12)] ^= 1 << bit;
            prop_assert!(damaged(keys.open(id, &record, &flipped)));
            let again = keys.seal(id, &record, &content).unwrap();
            prop_assert_ne!(again.nonce, sealed.nonce);
        }

        #[test]
        fn no_text_makes_it_panic_or_talk(text in ".{0,200}") {
            if let Err(error) = Keys::parse(&text) {
                prop_assert!(text.len() < 9 || !error.to_string().contains(&text));
            }
        }
    }
}
