//! From where a request comes, and under which id.

use std::net::IpAddr;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use domain::RequestId;
use domain::net::Net;

use super::Access;

#[derive(Debug, Clone)]
pub(crate) struct Origin {
    address: Option<IpAddr>,
    pub(crate) request: Option<RequestId>,
}

impl Origin {
    pub(super) fn of(request: &HttpRequest, trusted: &[Net]) -> Self {
        let forwarded = request.headers().get_all("x-forwarded-for").filter_map(|value| value.to_str().ok());
        let forwarded: Vec<&str> = forwarded.flat_map(|text| text.split(',')).map(str::trim).collect();
        Self {
            address: request.peer_addr().map(|peer| client(peer.ip(), &forwarded, trusted)),
            request: request.extensions().get::<RequestId>().copied(),
        }
    }

    pub(crate) const fn ip(&self) -> Option<IpAddr> {
        self.address
    }

    pub(crate) fn address(&self) -> Option<String> {
        self.address.map(|address| address.to_string())
    }
}

/// Whether nobody between can read it: over our own TLS, or that of a proxy of ours, which says so.
pub(crate) fn is_secure(request: &HttpRequest, trusted: &[Net]) -> bool {
    let ours = |peer: std::net::SocketAddr| trusted.iter().any(|net| net.has(peer.ip().to_canonical()));
    let told = || request.headers().get_all("x-forwarded-proto").last().and_then(|value| value.to_str().ok());
    // The nearest proxy writes behind what it was told.
    let https = |text: &str| text.rsplit(',').next().is_some_and(|last| last.trim().eq_ignore_ascii_case("https"));
    request.app_config().secure() || (request.peer_addr().is_some_and(ours) && told().is_some_and(https))
}

/// The nearest address that is not one of our proxies: each proxy writes behind what it was told who asked it, and
/// whoever is no proxy of ours may have written anything before that.
fn client(peer: IpAddr, forwarded: &[&str], trusted: &[Net]) -> IpAddr {
    let ours = |address: IpAddr| trusted.iter().any(|net| net.has(address));
    let mut nearest = peer.to_canonical();
    for text in forwarded.iter().rev() {
        if !ours(nearest) {
            break;
        }
        let Ok(before) = text.parse::<IpAddr>() else { break };
        nearest = before.to_canonical();
    }
    nearest
}

impl FromRequest for Origin {
    type Error = std::convert::Infallible;
    type Future = std::future::Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let access = request.app_data::<Data<Access>>();
        std::future::ready(Ok(Self::of(request, access.map_or(&[], |access| access.trusted()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_proxies_say_who_asked_them() {
        let trusted: Vec<Net> = ["10.0.0.0/8", "::1"].iter().map(|net| net.parse().unwrap()).collect();
        for (peer, forwarded, wanted) in [
            ("203.0.113.9", &["198.51.100.1"][..], "203.0.113.9"),
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["6.6.6.6", "198.51.100.1", "10.0.0.2"], "198.51.100.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["unknown"], "10.0.0.1"),
            ("::ffff:10.0.0.1", &["2001:db8::7"], "2001:db8::7"),
        ] {
            let found = client(peer.parse().unwrap(), forwarded, &trusted);
            assert_eq!(found, wanted.parse::<IpAddr>().unwrap(), "{peer} {forwarded:?}");
        }
    }
}
