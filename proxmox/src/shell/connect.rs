//! Making a connection: address, handshake, the host's key, then who we are. In this order: nothing secret is sent to
//! a host that is not the pinned one.

use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use rustix::net::sockopt;
use ssh2::{ErrorCode, Session};

use super::config::{Auth, ShellConfig};
use super::error::ShellError;
use super::hostkey::HostKey;

pub(super) fn connect(config: &ShellConfig) -> Result<(Session, TcpStream), ShellError> {
    let host = || config.name.clone();
    let (session, socket) = handshake(&config.address, config.port, Some(&config.host_key), config.connect_timeout)?;
    let shown = HostKey::of(&session).ok_or_else(|| ShellError::Unreachable {
        host: host(),
        reason: "it shows no key of a known kind".to_owned(),
    })?;
    if shown != config.host_key {
        return Err(ShellError::HostKeyChanged {
            host: host(),
            pinned: Box::new(config.host_key.clone()),
            shown: Box::new(shown),
        });
    }
    authenticate(&session, config)?;
    session.set_keepalive(false, u32::try_from(config.keepalive.as_secs()).unwrap_or(u32::MAX).max(1));
    // Who writes (we do: keepalive) and gets no acknowledgement learns it from the kernel.
    let patience = u32::try_from(config.keepalive.as_millis() * 2).unwrap_or(u32::MAX);
    sockopt::set_tcp_user_timeout(&socket, patience)
        .and_then(|()| sockopt::set_socket_keepalive(&socket, true))
        .map_err(|error| ShellError::Unreachable { host: host(), reason: error.to_string() })?;
    Ok((session, socket))
}

/// A pinned key of a kind that the host no longer has is a changed key too, so the other kinds are asked for last.
pub(super) fn handshake(
    address: &str,
    port: u16,
    pinned: Option<&HostKey>,
    timeout: Duration,
) -> Result<(Session, TcpStream), ShellError> {
    match greet(address, port, pinned, timeout) {
        Err(Greeting::NoCommonMethod) if pinned.is_some() => greet(address, port, None, timeout),
        other => other,
    }
    .map_err(|greeting| ShellError::Unreachable {
        host: address.to_owned(),
        reason: match greeting {
            Greeting::Failed(reason) => reason,
            Greeting::NoCommonMethod => "no common key exchange, cipher or host key method".to_owned(),
        },
    })
}

enum Greeting {
    NoCommonMethod,
    Failed(String),
}

impl From<std::io::Error> for Greeting {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<ssh2::Error> for Greeting {
    fn from(error: ssh2::Error) -> Self {
        match error.code() {
            // LIBSSH2_ERROR_KEX_FAILURE, LIBSSH2_ERROR_METHOD_NONE, ..._NOT_SUPPORTED
            ErrorCode::Session(-5 | -17 | -33) => Self::NoCommonMethod,
            _ => Self::Failed(error.message().to_owned()),
        }
    }
}

fn greet(
    address: &str,
    port: u16,
    pinned: Option<&HostKey>,
    timeout: Duration,
) -> Result<(Session, TcpStream), Greeting> {
    let socket = dial(address, port, timeout)?;
    socket.set_nodelay(true)?;
    let mut session = Session::new()?;
    session.set_timeout(u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX));
    session.set_tcp_stream(socket.try_clone()?);
    if let Some(pinned) = pinned {
        pinned.prefer(&session)?;
    }
    session.handshake()?;
    Ok((session, socket))
}

fn dial(address: &str, port: u16, timeout: Duration) -> Result<TcpStream, Greeting> {
    let mut last = Greeting::Failed("the name has no address".to_owned());
    for address in (address, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(socket) => return Ok(socket),
            Err(error) => last = error.into(),
        }
    }
    Err(last)
}

fn authenticate(session: &Session, config: &ShellConfig) -> Result<(), ShellError> {
    let refused =
        |reason: String| ShellError::AuthRefused { host: config.name.clone(), user: config.user.clone(), reason };
    let text = |secret: &'_ super::Secret| {
        String::from_utf8(secret.expose().to_vec())
            .map(zeroize::Zeroizing::new)
            .map_err(|_| refused("the stored credential is not text".to_owned()))
    };
    let answer = match &config.auth {
        Auth::Key { pem, passphrase } => {
            let passphrase = passphrase.as_ref().map(text).transpose()?;
            session.userauth_pubkey_memory(
                &config.user,
                None,
                &text(pem)?,
                passphrase.as_ref().map(|text| text.as_str()),
            )
        }
        Auth::Password(password) => session.userauth_password(&config.user, &text(password)?),
    };
    answer.map_err(|error| match error.code() {
        // A socket's end or time-out says nothing about the credentials.
        ErrorCode::Session(-7 | -9 | -13 | -30 | -43) => {
            ShellError::Unreachable { host: config.name.clone(), reason: error.message().to_owned() }
        }
        _ => refused(error.message().to_owned()),
    })
}
