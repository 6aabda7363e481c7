//! Where the mail server is, as `mail.url` says.

use super::MailError;
use crate::vault::SecretText;

#[derive(Clone)]
pub(super) struct Place {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: Tls,
    pub(super) login: Option<(String, SecretText)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tls {
    FromTheStart,
    /// Asked for after the first words, and not gone on without.
    Upgraded,
    None,
}

impl Place {
    pub(super) fn parse(url: &SecretText) -> Result<Self, MailError> {
        read(url.expose()).ok_or(MailError::Settings {
            key: "mail.url",
            wanted: "`smtps://user:password@host`, `smtp://user:password@host?tls=required`, or `smtp://host` for a server beside",
        })
    }
}

fn read(url: &str) -> Option<Place> {
    let (scheme, rest) = url.split_once("://")?;
    let (rest, tls) = match rest.split_once('?') {
        Some((rest, "tls=required")) => (rest, Tls::Upgraded),
        Some(_) => return None,
        None => (rest, Tls::None),
    };
    let tls = match (scheme, tls) {
        ("smtps", Tls::None) => Tls::FromTheStart,
        ("smtp", tls) => tls,
        _ => return None,
    };
    let (login, place) = match rest.trim_end_matches('/').rsplit_once('@') {
        Some((login, place)) => {
            let (user, password) = login.split_once(':')?;
            (Some((plain(user)?, SecretText::from(plain(password)?))), place)
        }
        None => (None, rest.trim_end_matches('/')),
    };
    // A password is not for whoever listens on the way.
    if login.is_some() && tls == Tls::None {
        return None;
    }
    let usual = match tls {
        Tls::FromTheStart => 465,
        Tls::Upgraded => 587,
        Tls::None => 25,
    };
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
        _ => (place, usual),
    };
    let host = host.trim_matches(['[', ']']).to_owned();
    (!host.is_empty()).then_some(Place { host, port, tls, login })
}

/// `%40` is an `@`.
fn plain(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        rest = more;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (code, more) = rest.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok()?);
        rest = more;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_and_no_password_goes_out_in_the_open() {
        let place = read("smtps://ann%40example.org:p%3Aw@mail.example.org").unwrap();
        assert_eq!((place.host.as_str(), place.port, place.tls), ("mail.example.org", 465, Tls::FromTheStart));
        let (user, password) = place.login.unwrap();
        assert_eq!((user.as_str(), password.expose()), ("ann@example.org", "p:w"));
        let place = read("smtp://[::1]:2525?tls=required").unwrap();
        assert_eq!((place.host.as_str(), place.port, place.tls), ("::1", 2525, Tls::Upgraded));
        assert_eq!(read("smtp://localhost").unwrap().port, 25);
        for wrong in ["smtp://u:p@host", "mail://host", "smtp://", "smtps://host?tls=no", "smtps://host:x", "host"] {
            assert!(read(wrong).is_none(), "{wrong}");
        }
    }
}
