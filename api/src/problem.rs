//! What a caller is told when something can't be done: RFC 9457, with a stable type for each kind.
//!
//! A problem holds only what its reader may know. The cause goes to the log, tied to the answer by the request's id.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// The kinds of problems. Their names are part of the API: programs decide by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Malformed,
    Invalid,
    Unauthenticated,
    CodeRequired,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    Busy,
    Conflict,
    Stale,
    NotPossible,
    IdempotencyMismatch,
    TooSlow,
    TooLarge,
    UnsupportedMediaType,
    QuotaExceeded,
    RateLimited,
    QueueFull,
    HostAway,
    Unavailable,
    Internal,
}

impl Kind {
    pub const ALL: [Self; 21] = [
        Self::Malformed,
        Self::Invalid,
        Self::Unauthenticated,
        Self::CodeRequired,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Busy,
        Self::Conflict,
        Self::Stale,
        Self::NotPossible,
        Self::IdempotencyMismatch,
        Self::TooSlow,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::QuotaExceeded,
        Self::RateLimited,
        Self::QueueFull,
        Self::HostAway,
        Self::Unavailable,
        Self::Internal,
    ];

    /// Name, status, title, and what to do about it.
    #[must_use]
    pub const fn row(self) -> (&'static str, u16, &'static str, &'static str) {
        match self {
            Self::Malformed => {
                ("malformed", 400, "The request can't be read", "Send valid JSON of the documented shape.")
            }
            Self::Invalid => ("invalid", 422, "Some values are not allowed", "Change the fields listed in `errors`."),
            Self::Unauthenticated => {
                ("unauthenticated", 401, "Who are you?", "Send `Authorization: Bearer <token>` with a valid token.")
            }
            Self::CodeRequired => (
                "code-required",
                401,
                "A code is needed",
                "Send it as `code`: the one that your app shows, each good once, or a recovery code.",
            ),
            Self::Forbidden => ("forbidden", 403, "You may not do this", "Ask an administrator for the permission."),
            Self::NotFound => {
                ("not-found", 404, "There is no such thing", "Check the id; lists show what you may see.")
            }
            Self::MethodNotAllowed => {
                ("method-not-allowed", 405, "This can't be done here", "See /docs for what this path knows.")
            }
            Self::Busy => (
                "busy",
                409,
                "Another operation is at work",
                "Wait for the operation named in `holder`, or cancel it; then ask again.",
            ),
            Self::Conflict => ("conflict", 409, "It has changed meanwhile", "Read it again and decide anew."),
            Self::Stale => (
                "stale",
                412,
                "It is not as you last saw it",
                "Read it again, decide anew, and send the new `ETag` in `If-Match`.",
            ),
            Self::NotPossible => ("not-possible", 409, "Not in this state", "See `detail` for what has to be first."),
            Self::IdempotencyMismatch => (
                "idempotency-mismatch",
                422,
                "This Idempotency-Key was used for something else",
                "Use a new key for a new request.",
            ),
            Self::TooSlow => (
                "too-slow",
                408,
                "The request did not arrive in time",
                "Send it again without pauses; the limit is in `detail`.",
            ),
            Self::TooLarge => ("too-large", 413, "The request is too large", "Send less; the limit is in `detail`."),
            Self::UnsupportedMediaType => {
                ("unsupported-media-type", 415, "This kind of content is not read", "Send application/json.")
            }
            Self::QuotaExceeded => (
                "quota-exceeded",
                409,
                "The account may not have more",
                "Delete what you no longer need, ask for less, or ask an administrator for a larger quota; `over` says of what.",
            ),
            Self::RateLimited => {
                ("rate-limited", 429, "Too much too fast", "Ask again after `Retry-After` seconds, and less often.")
            }
            Self::QueueFull => {
                ("queue-full", 503, "Too much is waiting already", "Ask again after `Retry-After` seconds.")
            }
            Self::HostAway => (
                "host-away",
                503,
                "The Proxmox host does not answer",
                "Try again later; `gantry doctor` tells an operator more.",
            ),
            Self::Unavailable => {
                ("unavailable", 503, "Not available right now", "Ask again after `Retry-After` seconds.")
            }
            Self::Internal => (
                "internal",
                500,
                "Something went wrong on our side",
                "Tell the operator the `request_id`; the log has the cause.",
            ),
        }
    }

    #[must_use]
    pub const fn slug(self) -> &'static str {
        self.row().0
    }
}

/// None is missing: one more shifts the last one's number.
const _: () = {
    let mut at = 0;
    while at < Kind::ALL.len() {
        assert!(Kind::ALL[at] as usize == at, "Kind::ALL has the kinds in their order");
        at += 1;
    }
    assert!(Kind::ALL.len() == Kind::Internal as usize + 1, "Kind::ALL has every kind, Internal the last");
};

/// One field and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldProblem {
    /// Where in the body, as a path: `network.address`.
    #[schema(example = "hostname")]
    pub field: String,
    pub problem: String,
    pub fix: String,
}

impl From<domain::FieldError> for FieldProblem {
    fn from(error: domain::FieldError) -> Self {
        Self { field: error.field, problem: error.problem, fix: error.fix }
    }
}

/// The body of every answer that is no success (`application/problem+json`).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// Stable, and a page that explains it.
    #[serde(rename = "type")]
    #[schema(value_type = String, example = "/problems/invalid")]
    pub kind: Box<str>,
    pub title: &'static str,
    pub status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub detail: Option<Box<str>>,
    /// What to do about it.
    pub remedy: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub request_id: Option<Box<str>>,
    /// All fields that are wrong, not only the first.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Vec<FieldProblem>)]
    pub errors: Box<[FieldProblem]>,
    /// More facts, by kind: `holder` of `busy`.
    #[serde(flatten)]
    #[schema(ignore)]
    pub facts: Option<Box<Map<String, Value>>>,
    #[serde(skip)]
    retry_after: Option<u32>,
}

impl Problem {
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        let (slug, status, title, remedy) = kind.row();
        Self {
            kind: format!("/problems/{slug}").into(),
            title,
            status,
            detail: None,
            remedy,
            request_id: None,
            errors: Box::default(),
            facts: None,
            retry_after: matches!(kind, Kind::QueueFull | Kind::HostAway | Kind::Unavailable).then_some(5),
        }
    }

    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into().into());
        self
    }

    #[must_use]
    pub fn fields(mut self, errors: Vec<FieldProblem>) -> Self {
        self.errors = errors.into();
        self
    }

    #[must_use]
    pub fn fact(mut self, name: &str, value: impl Serialize) -> Self {
        self.facts.get_or_insert_default().insert(name.to_owned(), serde_json::to_value(value).unwrap_or(Value::Null));
        self
    }

    #[must_use]
    pub fn for_request(mut self, id: impl ToString) -> Self {
        self.request_id = Some(id.to_string().into());
        self
    }

    /// Says when to ask again.
    #[must_use]
    pub fn after(mut self, wait: std::time::Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.retry_after = Some(u32::try_from(seconds).unwrap_or(u32::MAX).max(1));
        self
    }

    /// Our own fault: the caller learns nothing of it, the log everything.
    #[must_use]
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(cause = %cause, "request failed");
        Self::new(Kind::Internal)
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.title, self.detail.as_deref().unwrap_or(self.remedy))
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header((header::CONTENT_TYPE, "application/problem+json"));
        if let Some(seconds) = self.retry_after {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        if let Some(id) = &self.request_id {
            response.insert_header((crate::request::HEADER, &**id));
        }
        if matches!(self.status, 408 | 413) {
            // What is left of the request is not waited for.
            response.force_close();
        }
        if self.status == 401 {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer realm=\"gantry\""));
        }
        response.body(serde_json::to_vec(self).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_name_of_its_own_and_says_what_to_do() {
        let names: std::collections::HashSet<_> = Kind::ALL.iter().map(|k| k.slug()).collect();
        assert_eq!(names.len(), Kind::ALL.len());
        assert!(Kind::ALL.iter().all(|k| !k.row().3.is_empty()));
    }

    #[test]
    fn an_internal_problem_tells_nothing_of_its_cause() {
        let body = serde_json::to_string(&Problem::internal("password=hunter2")).unwrap();
        assert!(!body.contains("hunter2"), "{body}");
    }
}
