//! The keys of a provider that signs what it says.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

pub(crate) fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) struct Keys {
    ec: EcdsaKeyPair,
    other: EcdsaKeyPair,
    rsa: RsaKeyPair,
}

impl Keys {
    pub(crate) fn new() -> Self {
        let random = SystemRandom::new();
        let ec = || {
            let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), &random).unwrap()
        };
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("rsa");
        let made = std::process::Command::new("ssh-keygen")
            .args(["-q", "-t", "rsa", "-b", "2048", "-m", "PKCS8", "-N", "", "-f"])
            .arg(&file)
            .status();
        assert!(made.unwrap().success());
        let pem = std::fs::read_to_string(file).unwrap();
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        Self { ec: ec(), other: ec(), rsa: RsaKeyPair::from_pkcs8(&STANDARD.decode(body).unwrap()).unwrap() }
    }

    pub(crate) fn published(&self) -> Value {
        let point = self.ec.public_key().as_ref();
        let rsa = ring::rsa::PublicKeyComponents::<Vec<u8>>::from(self.rsa.public());
        json!({ "keys": [
            { "kty": "OKP", "kid": "new", "crv": "Ed448", "x": "AA" },
            { "kty": "EC", "kid": "ec", "use": "sig", "alg": "ES256", "crv": "P-256", "x": b64(&point[1..33]), "y": b64(&point[33..]) },
            { "kty": "RSA", "kid": "rsa", "n": b64(rsa.n), "e": b64(rsa.e) },
        ]})
    }

    pub(crate) fn sign(&self, head: &Value, claims: &Value, with: &str) -> String {
        let signed = format!("{}.{}", b64(head.to_string()), b64(claims.to_string()));
        let random = SystemRandom::new();
        let signature = match with {
            "ec" => self.ec.sign(&random, signed.as_bytes()).unwrap().as_ref().to_vec(),
            "other" => self.other.sign(&random, signed.as_bytes()).unwrap().as_ref().to_vec(),
            "rsa" => {
                let mut signature = vec![0; self.rsa.public().modulus_len()];
                self.rsa.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature).unwrap();
                signature
            }
            // A published key, taken for a secret.
            "secret" => {
                let point = self.ec.public_key().as_ref();
                let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, point);
                ring::hmac::sign(&key, signed.as_bytes()).as_ref().to_vec()
            }
            _ => vec![],
        };
        format!("{signed}.{}", b64(signature))
    }
}
