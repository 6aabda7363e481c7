//! Who may call. Until people and keys exist there is one token, made at the first start; only its hash is kept.

use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, web};
use domain::Actor;
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

    #[must_use]
    pub fn hash(token: &str) -> [u8; 32] {
        Sha256::digest(token.as_bytes()).into()
    }

    fn admits(&self, token: &str) -> bool {
        Self::hash(token).ct_eq(&*self.token_hash).into()
    }
}

/// Who is calling; every handler behind [`required`] can ask for it.
#[derive(Debug, Clone)]
pub struct Caller {
    pub actor: Actor,
    pub address: Option<String>,
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
    let header = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    let token =
        header.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    match token {
        Some((_, token)) if access.admits(token.trim()) => {
            let address = request.peer_addr().map(|peer| peer.ip().to_string());
            request.extensions_mut().insert(Caller { actor: Actor::Bootstrap, address });
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
