//! Who we are to the host: a token in a header, or a ticket that is renewed before it ends.

use std::fmt;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::call::Call;
use crate::endpoint::Auth;
use crate::error::{Error, Result, Said};
use crate::shell::Secret;

/// A ticket lives for two hours; a long upload that began with it should still end with it.
const RENEW_AFTER: Duration = Duration::from_secs(90 * 60);
const ENDS_AFTER: Duration = Duration::from_secs(115 * 60);
const CSRF: HeaderName = HeaderName::from_static("csrfpreventiontoken");

pub(crate) enum Session {
    Token(HeaderValue),
    Login { user: String, password: Secret, ticket: Mutex<Option<Ticket>> },
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session")
    }
}

#[derive(Clone)]
pub(crate) struct Ticket {
    cookie: HeaderValue,
    csrf: HeaderValue,
    born: Instant,
}

#[derive(Deserialize)]
pub(crate) struct Granted {
    ticket: Option<Zeroizing<String>>,
    #[serde(rename = "CSRFPreventionToken")]
    csrf: Option<Zeroizing<String>>,
    #[serde(rename = "NeedTFA", default, deserialize_with = "crate::lenient::flag")]
    second_factor: bool,
}

/// The headers of one request, and which ticket they stand on.
pub(crate) struct Identity {
    pub(crate) headers: HeaderMap,
    pub(crate) born: Option<Instant>,
}

impl Session {
    pub(crate) fn new(auth: &Auth) -> Result<Self> {
        match auth {
            Auth::Token { id, secret } => {
                let text = Zeroizing::new([b"PVEAPIToken=", id.as_bytes(), b"=", secret.expose()].concat());
                Ok(Self::Token(sensitive(&text)?))
            }
            Auth::Password { user, password } => {
                Ok(Self::Login { user: user.clone(), password: password.clone(), ticket: Mutex::new(None) })
            }
        }
    }

    /// One login at a time: whoever comes meanwhile waits for it and uses its ticket.
    pub(crate) async fn identity<F>(&self, login: impl FnOnce(Call) -> F) -> Result<Identity>
    where
        F: Future<Output = Result<Granted>>,
    {
        let (user, password, slot) = match self {
            Self::Token(header) => {
                let headers = HeaderMap::from_iter([(AUTHORIZATION, header.clone())]);
                return Ok(Identity { headers, born: None });
            }
            Self::Login { user, password, ticket } => (user, password, ticket),
        };
        let mut slot = slot.lock().await;
        let age = slot.as_ref().map(|ticket| ticket.born.elapsed());
        if age.is_none_or(|age| age >= RENEW_AFTER) {
            let born = Instant::now();
            let password = std::str::from_utf8(password.expose()).map_err(|_| wrong("the password is not UTF-8"))?;
            let call = Call::post("/access/ticket", &[]).with("username", user).with("password", password);
            match login(call).await.and_then(|granted| Ticket::of(granted, born)) {
                Ok(ticket) => *slot = Some(ticket),
                // The old one is still good for a while, and the next request tries again.
                Err(Error::Unreachable(..)) if age.is_some_and(|age| age < ENDS_AFTER) => {}
                Err(error) => return Err(error),
            }
        }
        let ticket = slot.as_ref().ok_or_else(|| wrong("no ticket was granted"))?;
        let headers = HeaderMap::from_iter([(COOKIE, ticket.cookie.clone()), (CSRF, ticket.csrf.clone())]);
        Ok(Identity { headers, born: Some(ticket.born) })
    }

    /// The host refused this ticket. True if it is worth asking again with a new one.
    pub(crate) async fn refused(&self, born: Option<Instant>) -> bool {
        let (Self::Login { ticket, .. }, Some(born)) = (self, born) else { return false };
        let mut slot = ticket.lock().await;
        // Unless somebody has renewed it meanwhile.
        if slot.as_ref().is_some_and(|ticket| ticket.born == born) {
            *slot = None;
        }
        true
    }
}

impl Ticket {
    fn of(granted: Granted, born: Instant) -> Result<Self> {
        if granted.second_factor {
            return Err(wrong("this user has a second factor; register an API token, or a user without one"));
        }
        let (Some(ticket), Some(csrf)) = (granted.ticket, granted.csrf) else {
            return Err(wrong("the login was answered without a ticket"));
        };
        // Slash, colon and plus are legal in a cookie and what pveproxy expects; it decodes %XX as well.
        let cookie = Zeroizing::new(format!("PVEAuthCookie={}", ticket.as_str()));
        Ok(Self { cookie: sensitive(cookie.as_bytes())?, csrf: sensitive(csrf.as_bytes())?, born })
    }
}

fn sensitive(text: &[u8]) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_bytes(text).map_err(|_| wrong("our credentials hold a control character"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn wrong(words: &str) -> Error {
    Error::Auth(Said { call: "login".into(), words: words.into(), ..Said::default() })
}
