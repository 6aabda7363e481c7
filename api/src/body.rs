//! Reading a request's body so that everything wrong with it is told at once, each by its path.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, HttpResponse};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;
use sha2::{Digest as _, Sha256};
use validator::{Validate, ValidationErrors, ValidationErrorsKind};

use crate::problem::{FieldProblem, Kind, Problem};

/// How much is read, and for how long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) bytes: usize,
    pub(crate) within: Duration,
}

/// Fields told of at most; a body of nothing but mistakes is not worth more.
const MOST: usize = 100;

/// A JSON body, and what is wrong with its shape; fields that don't fit are left out of it.
#[derive(Debug)]
pub(crate) struct Body<T> {
    value: T,
    errors: Vec<FieldProblem>,
    /// Of the bytes as they came: the same request sent again has the same.
    pub(crate) digest: [u8; 32],
}

impl<T> Body<T> {
    /// To look closer at; it counts only once it is [`fit`](Self::fit).
    pub(crate) const fn read(&self) -> &T {
        &self.value
    }

    /// The body, when its shape is right and a closer look found nothing either.
    ///
    /// # Errors
    /// `invalid` with everything that is wrong, a field's first mistake each.
    pub(crate) fn fit(self, found: Vec<FieldProblem>) -> Result<T, Problem> {
        let mut errors = self.errors;
        for error in found {
            let told = |known: &FieldProblem| {
                let rest = known.field.strip_prefix(&error.field);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            };
            if !errors.iter().any(told) {
                errors.push(error);
            }
        }
        if errors.is_empty() { Ok(self.value) } else { Err(Problem::new(Kind::Invalid).fields(errors)) }
    }
}

impl<T: DeserializeOwned + Validate + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let is_json = request.headers().get("content-type").and_then(|value| value.to_str().ok()).is_some_and(|text| {
            let kind = text.split(';').next().unwrap_or_default().trim();
            kind.eq_ignore_ascii_case("application/json") || kind.ends_with("+json")
        });
        let (request, mut payload) = (request.clone(), payload.take());
        Box::pin(async move {
            if !is_json {
                return Err(Problem::new(Kind::UnsupportedMediaType).detail("the body has to be application/json"));
            }
            if request.headers().get("content-encoding").is_some_and(|coding| coding != "identity") {
                return Err(
                    Problem::new(Kind::UnsupportedMediaType).detail("the body has to come as it is, not packed")
                );
            }
            let limits = request.app_data::<Limits>().copied();
            let limits = limits.ok_or_else(|| Problem::internal("a server without limits"))?;
            let read = tokio::time::timeout(limits.within, read(&request, &mut payload, limits.bytes));
            let bytes = read.await.unwrap_or_else(|_| Err(too_slow(limits.within)));
            if bytes.is_err() {
                request.extensions_mut().insert(Unread(payload));
            }
            let bytes = bytes?;
            let (value, errors) = parse(&bytes)?;
            Ok(Self { value, errors, digest: Sha256::digest(&bytes).into() })
        })
    }
}

fn too_slow(within: Duration) -> Problem {
    Problem::new(Kind::TooSlow).detail(format!("the body has to be here within {} seconds", within.as_secs_f64()))
}

/// What was not read of a request. Let go before the answer has been sent, the server would read it to its end, however
/// long that takes; kept until then, the connection is closed.
pub(crate) struct Unread(#[expect(dead_code, reason = "it only has to be there")] Payload);

/// An answer that keeps what was not read.
pub(crate) struct Keeping {
    body: BoxBody,
    _unread: Unread,
}

impl Unread {
    pub(crate) fn kept_by(self, answer: HttpResponse) -> HttpResponse {
        answer.map_body(|_, body| BoxBody::new(Keeping { body, _unread: self }))
    }
}

impl MessageBody for Keeping {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}

async fn read(request: &HttpRequest, payload: &mut Payload, limit: usize) -> Result<BytesMut, Problem> {
    let too_large = || Problem::new(Kind::TooLarge).detail(format!("at most {limit} bytes are read"));
    let told = request.headers().get("content-length").and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if told.is_some_and(|told| told > limit as u64) {
        return Err(too_large());
    }
    let mut all = BytesMut::new();
    while let Some(bytes) = payload.next().await {
        let bytes = bytes.map_err(|_| Problem::new(Kind::Malformed).detail("the body broke off before its end"))?;
        if all.len() + bytes.len() > limit {
            return Err(too_large());
        }
        all.extend_from_slice(&bytes);
    }
    Ok(all)
}

/// # Errors
/// `malformed` when it is no JSON object.
fn parse<T: DeserializeOwned + Validate>(bytes: &[u8]) -> Result<(T, Vec<FieldProblem>), Problem> {
    let mut tree: Value = serde_json::from_slice(bytes)
        .map_err(|error| Problem::new(Kind::Malformed).detail(format!("the body is no JSON: {error}")))?;
    if !tree.is_object() {
        return Err(Problem::new(Kind::Malformed).detail("the body has to be a JSON object"));
    }
    let mut errors = Vec::new();
    let value: T = loop {
        match serde_path_to_error::deserialize(&tree) {
            Ok(value) => break value,
            Err(error) => {
                let path: Vec<Segment> = error.path().iter().cloned().collect();
                errors.push(misfit(&path, &error.into_inner().to_string()));
                // Goes on without that field, to find the others too.
                if errors.len() >= MOST || !remove(&mut tree, &path) {
                    return Err(Problem::new(Kind::Invalid).fields(errors));
                }
            }
        }
    };
    if let Err(found) = value.validate() {
        let before = errors.len();
        collect("", &found, &mut errors);
        // The order of a hash map tells nothing; that of names is at least always the same.
        errors[before..].sort_by(|a, b| a.field.cmp(&b.field));
    }
    Ok((value, errors))
}

fn misfit(path: &[Segment], words: &str) -> FieldProblem {
    let field = written(path);
    if words.starts_with("unknown field") {
        let known = words.split_once("expected ").map_or("", |(_, known)| known);
        return FieldProblem {
            field,
            problem: "is no field that is known here".into(),
            fix: format!("leave it out; known: {known}"),
        };
    }
    let (problem, fix) = words.split_once(", expected ").unwrap_or((words, "what /docs says"));
    FieldProblem { field, problem: problem.to_owned(), fix: format!("give {fix}") }
}

fn written(path: &[Segment]) -> String {
    path.iter().fold(String::new(), |mut text, segment| {
        match segment {
            Segment::Seq { index } => text.push_str(&format!("[{index}]")),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(key);
            }
            Segment::Unknown => text.push('?'),
        }
        text
    })
}

/// False when there is nothing there to remove.
fn remove(tree: &mut Value, path: &[Segment]) -> bool {
    let Some((last, before)) = path.split_last() else { return false };
    let parent = before.iter().try_fold(&mut *tree, |at, segment| match segment {
        Segment::Seq { index } => at.get_mut(*index),
        Segment::Map { key } => at.get_mut(key),
        Segment::Enum { .. } | Segment::Unknown => Some(at),
    });
    match (parent, last) {
        (Some(Value::Object(map)), Segment::Map { key }) => map.remove(key).is_some(),
        // Without the one element the others would be told of by wrong numbers.
        (Some(Value::Array(_)), Segment::Seq { .. }) => remove(tree, before),
        _ => false,
    }
}

fn collect(at: &str, found: &ValidationErrors, errors: &mut Vec<FieldProblem>) {
    for (name, kind) in found.errors() {
        let field = if at.is_empty() { name.to_string() } else { format!("{at}.{name}") };
        match kind {
            ValidationErrorsKind::Struct(inner) => collect(&field, inner, errors),
            ValidationErrorsKind::List(items) => {
                for (index, inner) in items {
                    collect(&format!("{field}[{index}]"), inner, errors);
                }
            }
            ValidationErrorsKind::Field(wrong) => errors.extend(wrong.iter().map(|one| FieldProblem {
                field: field.clone(),
                problem: format!("is not allowed ({})", one.code),
                fix: one.message.as_ref().map_or_else(|| "see /docs".to_owned(), ToString::to_string),
            })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Default, Deserialize, Validate)]
    #[serde(default, deny_unknown_fields)]
    struct Wish {
        #[validate(length(max = 3, message = "at most 3 letters"))]
        name: Option<String>,
        cores: Option<u32>,
        #[validate(nested)]
        net: Net,
        keys: Vec<String>,
    }

    #[derive(Debug, Default, Deserialize, Validate)]
    #[serde(default, deny_unknown_fields)]
    struct Net {
        vlan: Option<u32>,
    }

    fn fields(text: &str) -> Vec<String> {
        let (_, errors) = parse::<Wish>(text.as_bytes()).unwrap();
        errors.into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn all_that_is_wrong_is_told_by_path() {
        let text = r#"{"name": "long", "cores": "4", "net": {"vlan": -1, "mtu": 1}, "keys": ["a", 5], "colour": 1}"#;
        let mut fields = fields(text);
        fields.sort();
        assert_eq!(fields, ["colour", "cores", "keys[1]", "name", "net.mtu", "net.vlan"]);
    }

    #[test]
    fn what_is_no_json_object_is_malformed() {
        for text in ["", "{", "[]", "7", "\u{0}"] {
            let problem = parse::<Wish>(text.as_bytes()).unwrap_err();
            assert_eq!(&*problem.kind, "/problems/malformed", "{text:?}");
        }
        assert!(parse::<Wish>(b"{}").unwrap().1.is_empty());
    }
}
