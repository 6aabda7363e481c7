//! Codes that change with the time, as RFC 6238 has them: SHA-1, 30 seconds, six digits, which is what every app can do.

use chrono::{DateTime, Utc};
use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use platform::vault::SecretBytes;
use rand::Rng as _;
use sha1::Sha1;
use subtle::ConstantTimeEq as _;

const PERIOD: i64 = 30;
/// How far a clock may be off, in steps.
const OFF: i64 = 1;

/// What came of looking at a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Looked {
    /// It is the code of this step.
    Good(i64),
    /// It was good, and was used before.
    Used,
    Wrong,
}

/// 160 random bits.
pub(super) fn secret() -> SecretBytes {
    let mut bytes = vec![0_u8; 20];
    rand::rng().fill_bytes(&mut bytes);
    bytes.into()
}

pub(super) fn in_letters(secret: &SecretBytes) -> String {
    BASE32_NOPAD.encode(secret.expose())
}

/// What apps read from a QR code.
pub(super) fn uri(secret: &SecretBytes, login: &str) -> String {
    let login: String = form_urlencoded::byte_serialize(login.as_bytes()).collect();
    format!("otpauth://totp/Gantry:{login}?secret={}&issuer=Gantry", in_letters(secret))
}

pub(super) fn look(secret: &SecretBytes, code: &str, last: i64, now: DateTime<Utc>) -> Looked {
    let now = now.timestamp() / PERIOD;
    let mut looked = Looked::Wrong;
    for step in now - OFF..=now + OFF {
        // All of them, so that the time it takes tells nothing.
        let same: bool = at(secret.expose(), step).as_bytes().ct_eq(code.as_bytes()).into();
        if same {
            looked = if step > last { Looked::Good(step) } else { Looked::Used };
        }
    }
    looked
}

fn at(secret: &[u8], step: i64) -> String {
    let Ok(mac) = Hmac::<Sha1>::new_from_slice(secret) else { return String::new() };
    let sum = mac.chain_update(step.to_be_bytes()).finalize().into_bytes();
    let from = usize::from(sum[19] & 15);
    let number = u32::from_be_bytes([sum[from], sum[from + 1], sum[from + 2], sum[from + 3]]) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

/// 80 random bits each, for who lost the app.
pub(super) fn recovery_codes() -> Vec<String> {
    let code = || {
        let mut bytes = [0_u8; 10];
        rand::rng().fill_bytes(&mut bytes);
        let letters = BASE32_NOPAD.encode(&bytes);
        letters.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join("-")
    };
    (0..10).map(|_| code()).collect()
}

/// However somebody writes it.
pub(super) fn plain(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_rfc() {
        // RFC 6238, appendix B: the last six of its eight digits.
        for (second, code) in
            [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            assert_eq!(at(b"12345678901234567890", second / PERIOD), code);
        }
    }

    #[test]
    fn a_code_is_good_once_and_only_about_its_time() {
        let secret = SecretBytes::from(b"12345678901234567890".to_vec());
        let at = |second| DateTime::from_timestamp(second, 0).unwrap();
        assert_eq!(look(&secret, "287082", 0, at(59)), Looked::Good(1));
        assert_eq!(look(&secret, "287082", 1, at(59)), Looked::Used);
        assert_eq!(look(&secret, "287082", 0, at(89)), Looked::Good(1));
        assert_eq!(look(&secret, "287082", 0, at(90)), Looked::Wrong);
        for wrong in ["", "28708", "2870822", "287083"] {
            assert_eq!(look(&secret, wrong, 0, at(59)), Looked::Wrong, "{wrong}");
        }
    }

    #[test]
    fn recovery_codes_differ_and_are_read_however_they_are_written() {
        let codes = recovery_codes();
        assert_eq!(codes.iter().collect::<std::collections::HashSet<_>>().len(), 10);
        let written = codes[0].to_lowercase().replace('-', " ");
        assert_eq!((plain(&written).len(), plain(&written)), (16, plain(&codes[0])));
    }
}
