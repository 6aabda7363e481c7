//! An identity token (OpenID Connect Core, 3.1.3.7), believed only when all of it holds. Two ways to sign are known, both
//! with a key pair: there is no secret that could be taken for one, and no way to leave the signature out.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use ring::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;
use subtle::ConstantTimeEq as _;

/// How far clocks may be apart.
const LEEWAY_S: i64 = 60;
/// A token has to be used soon after it was issued.
const OLDEST_S: i64 = 600;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Untrue {
    #[error("it is no token of three parts")]
    Shape,
    #[error("it is signed in a way that is not accepted; RS256 and ES256 are")]
    Algorithm,
    #[error("its key is none of the provider's")]
    Key,
    #[error("its signature is wrong")]
    Signature,
    #[error("it is from another issuer")]
    Issuer,
    #[error("it is for somebody else")]
    Audience,
    #[error("it has expired")]
    Expired,
    #[error("it is not of now")]
    Time,
    #[error("it answers another question")]
    Nonce,
}

/// A key as providers publish it; those of other kinds are passed over.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Jwk {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Head {
    alg: String,
    kid: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: i64,
    iat: i64,
    nonce: Option<String>,
    email: Option<String>,
    #[serde(default)]
    email_verified: serde_json::Value,
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// What a token is to be.
pub(super) struct Wanted<'a> {
    pub(super) issuer: &'a str,
    pub(super) client: &'a str,
    pub(super) nonce: &'a str,
    pub(super) now: DateTime<Utc>,
}

/// Who somebody is to the provider.
#[derive(Clone)]
pub(super) struct Identity {
    pub(super) issuer: String,
    pub(super) subject: String,
    /// Only one that the provider has seen to be theirs.
    pub(super) email: Option<String>,
    pub(super) name: Option<String>,
}

/// Whether a key that is not known yet may have signed it: then the provider's keys are worth another look.
pub(super) fn names_another_key(token: &str, keys: &[Jwk]) -> bool {
    let kid = parts(token).and_then(|(head, ..)| json::<Head>(head)).ok().and_then(|head| head.kid);
    kid.is_some_and(|kid| keys.iter().all(|key| key.kid.as_ref() != Some(&kid)))
}

pub(super) fn read(token: &str, keys: &[Jwk], wanted: &Wanted<'_>) -> Result<Identity, Untrue> {
    let (head, body, signature) = parts(token)?;
    let signed = token.rsplit_once('.').map_or("", |(signed, _)| signed);
    let signature = decoded(signature)?;
    let head: Head = json(head)?;
    let kind = match head.alg.as_str() {
        "RS256" => "RSA",
        "ES256" => "EC",
        _ => return Err(Untrue::Algorithm),
    };
    // The key says what it is for; the token does not get to choose.
    let fits = |key: &&Jwk| {
        key.kty == kind
            && (head.kid.is_none() || key.kid == head.kid)
            && key.usage.as_deref().is_none_or(|usage| usage == "sig")
            && key.alg.as_ref().is_none_or(|alg| *alg == head.alg)
    };
    let mut candidates = keys.iter().filter(fits).peekable();
    candidates.peek().ok_or(Untrue::Key)?;
    if !candidates.any(|key| key.has_signed(signed.as_bytes(), &signature)) {
        return Err(Untrue::Signature);
    }
    held(json(body)?, wanted)
}

impl Jwk {
    fn has_signed(&self, signed: &[u8], signature: &[u8]) -> bool {
        let part = |part: &Option<String>| part.as_deref().and_then(|text| decoded(text).ok());
        if self.kty == "RSA" {
            let (Some(n), Some(e)) = (part(&self.n), part(&self.e)) else { return false };
            return RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature).is_ok();
        }
        let (Some(x), Some(y), Some("P-256")) = (part(&self.x), part(&self.y), self.crv.as_deref()) else {
            return false;
        };
        let point = [&[4], &x[..], &y[..]].concat();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed, signature).is_ok()
    }
}

fn held(claims: Claims, wanted: &Wanted<'_>) -> Result<Identity, Untrue> {
    let now = wanted.now.timestamp();
    if claims.iss != wanted.issuer {
        return Err(Untrue::Issuer);
    }
    let for_us = match &claims.aud {
        Audience::One(one) => one == wanted.client,
        // Of many, the one that asked for it is named.
        Audience::Many(many) => {
            many.iter().any(|one| one == wanted.client)
                && (many.len() == 1 || claims.azp.as_deref() == Some(wanted.client))
        }
    };
    if !for_us || claims.azp.as_deref().is_some_and(|azp| azp != wanted.client) {
        return Err(Untrue::Audience);
    }
    if claims.exp.saturating_add(LEEWAY_S) <= now {
        return Err(Untrue::Expired);
    }
    if claims.iat > now + LEEWAY_S || claims.iat.saturating_add(OLDEST_S) < now {
        return Err(Untrue::Time);
    }
    let nonce = claims.nonce.unwrap_or_default();
    if !bool::from(nonce.as_bytes().ct_eq(wanted.nonce.as_bytes())) {
        return Err(Untrue::Nonce);
    }
    // Some providers write it as a text.
    let verified = claims.email_verified == true || claims.email_verified == "true";
    let email = claims.email.filter(|_| verified).map(|email| email.trim().to_lowercase());
    Ok(Identity { issuer: claims.iss, subject: claims.sub, email, name: claims.name })
}

fn parts(token: &str) -> Result<(&str, &str, &str), Untrue> {
    let mut parts = token.split('.');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(head), Some(body), Some(signature), None) => Ok((head, body, signature)),
        _ => Err(Untrue::Shape),
    }
}

fn decoded(text: &str) -> Result<Vec<u8>, Untrue> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Untrue::Shape)
}

fn json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Untrue> {
    serde_json::from_slice(&decoded(text)?).map_err(|_| Untrue::Shape)
}
