//! The host's key: learned once, shown to a person, pinned, and compared before anything secret is sent.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ssh2::{HashType, HostKeyType, MethodType, Session};

use super::connect::handshake;
use super::error::ShellError;

/// `ssh-ed25519 SHA256:…`, the words `ssh-keygen -lf` uses. The kind is part of it because a host has several keys
/// and must show the pinned one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostKey {
    kind: String,
    sha256: [u8; 32],
}

impl HostKey {
    pub(super) fn of(session: &Session) -> Option<Self> {
        let kind = match session.host_key()?.1 {
            HostKeyType::Ed25519 => "ssh-ed25519",
            HostKeyType::Rsa => "ssh-rsa",
            HostKeyType::Ecdsa256 => "ecdsa-sha2-nistp256",
            HostKeyType::Ecdsa384 => "ecdsa-sha2-nistp384",
            HostKeyType::Ecdsa521 => "ecdsa-sha2-nistp521",
            _ => return None,
        };
        let sha256 = session.host_key_hash(HashType::Sha256)?.try_into().ok()?;
        Some(Self { kind: kind.to_owned(), sha256 })
    }

    /// Ask the host for the pinned kind of key only: after an upgrade of either side the other kinds would look like
    /// a changed host.
    pub(super) fn prefer(&self, session: &Session) -> Result<(), ssh2::Error> {
        let methods = if self.kind == "ssh-rsa" { "rsa-sha2-512,rsa-sha2-256,ssh-rsa" } else { &self.kind };
        session.method_pref(MethodType::HostKey, methods)
    }
}

/// Ask a host for its key without trusting or authenticating: for showing it to a person, then pinning it.
pub async fn learn_host_key(address: &str, port: u16) -> Result<HostKey, ShellError> {
    let address = address.to_owned();
    let learned = tokio::task::spawn_blocking(move || {
        let (session, _socket) = handshake(&address, port, None, Duration::from_secs(10))?;
        HostKey::of(&session).ok_or_else(|| ShellError::Unreachable {
            host: address,
            reason: "it shows no key of a known kind".to_owned(),
        })
    });
    learned.await.map_err(|_| ShellError::Closed)?
}

impl fmt::Display for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} SHA256:{}", self.kind, STANDARD_NO_PAD.encode(self.sha256))
    }
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a host key: write it like `ssh-ed25519 SHA256:…`, as ssh-keygen -lf prints it")]
pub struct NotAHostKey;

impl FromStr for HostKey {
    type Err = NotAHostKey;

    fn from_str(text: &str) -> Result<Self, NotAHostKey> {
        let (kind, print) = text.trim().split_once(' ').ok_or(NotAHostKey)?;
        let known = kind == "ssh-ed25519" || kind == "ssh-rsa" || kind.starts_with("ecdsa-sha2-nistp");
        let print = print.trim().strip_prefix("SHA256:").ok_or(NotAHostKey)?;
        let bytes = STANDARD_NO_PAD.decode(print.trim_end_matches('=')).map_err(|_| NotAHostKey)?;
        let sha256 = bytes.try_into().map_err(|_| NotAHostKey)?;
        if known { Ok(Self { kind: kind.to_owned(), sha256 }) } else { Err(NotAHostKey) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_prints() {
        let text = "ssh-ed25519 SHA256:uNiVztksCsDhcc0u9e8BrrJXVGDwmgN9pcaUV7zlT4M";
        assert_eq!(text.parse::<HostKey>().unwrap().to_string(), text);
    }

    #[test]
    fn refuses_what_is_no_fingerprint() {
        for text in
            ["", "SHA256:abc", "ssh-ed25519 MD5:00", "ssh-dss SHA256:uNiVztksCsDhcc0u9e8BrrJXVGDwmgN9pcaUV7zlT4M"]
        {
            assert_eq!(text.parse::<HostKey>(), Err(NotAHostKey), "{text}");
        }
    }
}
