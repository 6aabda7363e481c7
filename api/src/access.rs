//! Who may call. Until people and keys exist there is one token, made at the first start; only its hash is kept.

use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, web};
use domain::Actor;
use platform::bootstrap;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::problem::{Kind, Problem};

/// What is asked of callers.
#[derive(Clone)]
pub struct Access {
    token_hash: Arc<[u8; 32]>,
}

impl Access {
    /// From the hash that the first start stored.
    #[must_use]
    pub fn with_token_hash(hash: [u8; 32]) -> Self {
        Self { token_hash: Arc::new(hash) }
    }

    fn admits(&self, token: &str) -> bool {
        bootstrap::hash(token).ct_eq(&*self.token_hash).into()
    }
}

/// Paths that hold no data of anybody: probes, and what there is to read about the API itself.
const OPEN: [&str; 5] = ["/livez", "/readyz", "/openapi.json", "/docs", "/problems"];

/// Whether the path is answered without a token.
#[must_use]
pub fn is_open(path: &str) -> bool {
    OPEN.iter().any(|open| path.strip_prefix(open).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// Who is calling; every handler behind [`required`] can ask for it.
#[derive(Clone)]
pub struct Caller {
    pub actor: Actor,
    pub address: Option<String>,
    /// Known to nobody but the caller and this process.
    pub salt: [u8; 32],
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caller").field("actor", &self.actor).field("address", &self.address).finish_non_exhaustive()
    }
}

/// Refuses who brings no valid token; the rest goes on as a [`Caller`].
///
/// # Errors
/// `unauthenticated` without a valid token.
pub async fn required(
    access: web::Data<Access>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    if is_open(request.path()) {
        return next.call(request).await;
    }
    let header = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    let token =
        header.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    match token {
        Some((_, token)) if access.admits(token.trim()) => {
            let address = request.peer_addr().map(|peer| peer.ip().to_string());
            let salt = Sha256::new().chain_update(b"idempotency").chain_update(token.trim()).finalize().into();
            request.extensions_mut().insert(Caller { actor: Actor::Bootstrap, address, salt });
            next.call(request).await
        }
        Some(_) => Err(Problem::new(Kind::Unauthenticated).detail("the token is not valid").into()),
        None => Err(Problem::new(Kind::Unauthenticated).detail("there is no token in the request").into()),
    }
}

impl actix_web::FromRequest for Caller {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &actix_web::HttpRequest, _: &mut actix_web::dev::Payload) -> Self::Future {
        // Only a route outside of `required` gets here without one; refusing is the safe answer to that mistake.
        std::future::ready(
            request.extensions().get::<Self>().cloned().ok_or_else(|| Problem::new(Kind::Unauthenticated)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_holds_no_data_is_open() {
        for path in ["/livez", "/docs", "/docs/index.html", "/problems/busy"] {
            assert!(is_open(path), "{path}");
        }
        for path in ["/", "/v1/containers", "/metrics", "/livezz", "/docsx", "/v1/../docs"] {
            assert!(!is_open(path), "{path}");
        }
    }
}
