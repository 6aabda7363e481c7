//! What a caller is told when something can't be done: RFC 9457, with a stable type for each kind.
//!
//! A problem holds only what its reader may know. The cause goes to the log, tied to the answer by the request's id.

mod kind;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

pub use kind::Kind;

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
            retry_after: matches!(kind, Kind::QueueFull | Kind::HostAway | Kind::TookTooLong | Kind::Unavailable)
                .then_some(5),
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
    fn an_internal_problem_tells_nothing_of_its_cause() {
        let body = serde_json::to_string(&Problem::internal("password=hunter2")).unwrap();
        assert!(!body.contains("hunter2"), "{body}");
    }
}
