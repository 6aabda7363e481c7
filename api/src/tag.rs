//! What a thing is known by as it is now, so that nobody reads the same twice (`If-None-Match`) nor changes what they
//! have not seen (`If-Match`).
//!
//! A tag is `"v<version>"`; where the answer is joined with what is not the thing's own, like Proxmox's word on a
//! container, it is weak, with a digest of that behind the version. `If-Match` looks at the version alone: what
//! somebody decided does not change because a container takes a little more memory.

use std::fmt::Display;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{ETAG, HeaderMap, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::problem::{Kind, Problem};

/// An answer with its tag.
pub(crate) struct Tagged<T> {
    version: String,
    beside: Option<String>,
    body: T,
}

impl<T> Tagged<T> {
    pub(crate) fn new(version: impl ToString, body: T) -> Self {
        Self { version: version.to_string(), beside: None, body }
    }

    /// What else the answer shows, and is not part of the thing's version.
    pub(crate) fn beside(mut self, other: &impl Serialize) -> Self {
        let digest = Sha256::digest(serde_json::to_vec(other).unwrap_or_default());
        self.beside = Some(hex::encode(&digest[..8]));
        self
    }

    fn opaque(&self) -> String {
        match &self.beside {
            None => format!("v{}", self.version),
            Some(beside) => format!("v{}.{beside}", self.version),
        }
    }
}

impl<T: Serialize> Responder for Tagged<T> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let opaque = self.opaque();
        let tag = format!("{}\"{opaque}\"", if self.beside.is_some() { "W/" } else { "" });
        // Whoever has it may keep it, and has to ask each time whether it is still so.
        let kept = ("cache-control", "private, no-cache");
        if Tags::of(request.headers(), IF_NONE_MATCH.as_str()).is_some_and(|known| known.have(&opaque)) {
            return HttpResponse::build(StatusCode::NOT_MODIFIED)
                .insert_header((ETAG, tag))
                .insert_header(kept)
                .finish();
        }
        HttpResponse::Ok().insert_header((ETAG, tag)).insert_header(kept).json(self.body)
    }
}

/// The tags of a header that names some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tags {
    Any,
    /// Without quotes and `W/`.
    These(Vec<String>),
}

impl Tags {
    pub(crate) fn of(headers: &HeaderMap, name: &str) -> Option<Self> {
        let texts: Vec<&str> = headers.get_all(name).filter_map(|value| value.to_str().ok()).collect();
        if texts.is_empty() {
            return headers.contains_key(name).then(|| Self::These(Vec::new()));
        }
        if texts.iter().any(|text| text.trim() == "*") {
            return Some(Self::Any);
        }
        let tags = texts.iter().flat_map(|text| text.split(',')).map(str::trim);
        let bare = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"').to_owned();
        Some(Self::These(tags.map(bare).collect()))
    }

    fn have(&self, opaque: &str) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => tags.iter().any(|tag| tag == opaque),
        }
    }

    /// Whether it is one of the versions that the caller has seen.
    ///
    /// # Errors
    /// `stale` when it is another.
    pub(crate) fn hold(&self, version: impl Display) -> Result<(), Problem> {
        let now = format!("v{version}");
        let seen = match self {
            Self::Any => true,
            Self::These(tags) => tags.iter().any(|tag| tag.split('.').next() == Some(&now)),
        };
        if seen { Ok(()) } else { Err(Problem::new(Kind::Stale).detail(format!("it is at version {version} now"))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    fn tags(text: &'static str) -> Option<Tags> {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static("if-match"), HeaderValue::from_static(text));
        Tags::of(&headers, "if-match")
    }

    #[test]
    fn the_version_of_a_tag_is_what_has_to_be_the_same() {
        for text in ["\"v7\"", "W/\"v7.ab12\"", "\"v6\", W/\"v7.00\"", "*"] {
            assert!(tags(text).unwrap().hold(7).is_ok(), "{text}");
        }
        for text in ["\"v8\"", "W/\"v70.ab\"", "\"7\"", "", "\"\"", "nonsense"] {
            assert_eq!(tags(text).unwrap().hold(7).unwrap_err().status, 412, "{text}");
        }
        assert_eq!(Tags::of(&HeaderMap::new(), "if-match"), None);
    }

    #[test]
    fn what_is_shown_beside_is_part_of_the_whole_tag_only() {
        let one = Tagged::new(7, ()).beside(&"running").opaque();
        let other = Tagged::new(7, ()).beside(&"stopped").opaque();
        assert!(one != other && one.starts_with("v7.") && tags("*").unwrap().have(&one));
    }
}
