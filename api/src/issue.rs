//! Handing out API keys.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use domain::api_key::{ApiKey, ApiKeyCommand, ApiKeyRejection, Issued};
use domain::{Aggregate as _, KeyId, Permission};
use platform::log::{Append, Expected, Loaded};
use platform::people::token;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::accept::not_appended;
use crate::access::{Caller, KEY};
use crate::app::App;
use crate::asking::Asking;
use crate::body::Body;
use crate::paging::wrong;
use crate::problem::{FieldProblem, Kind, Problem};
use crate::unread::unread;

/// How long a key goes on beside the one that takes its place, when nobody says otherwise.
const OVERLAP: u32 = 24 * 3600;
const LONGEST_OVERLAP: u32 = 30 * 24 * 3600;

#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "ci", "scopes": ["containers:read", "containers:write", "operations:read"], "addresses": ["192.0.2.0/24"] }))]
pub(crate) struct IssueKey {
    /// Letters, digits and hyphens.
    #[schema(value_type = String)]
    name: Option<String>,
    /// What it may; not more than you.
    #[schema(value_type = Vec<String>)]
    #[serde(default)]
    scopes: BTreeSet<Permission>,
    expires_at: Option<DateTime<Utc>>,
    /// Addresses and networks it may come from; any when left out.
    #[validate(length(max = 64, message = "give at most 64 addresses"))]
    #[serde(default)]
    addresses: Vec<String>,
}

#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "overlap_seconds": 3600 }))]
pub(crate) struct RotateKey {
    /// How long the old key is still good, at most 30 days; a day when left out, 0: not any more.
    #[schema(maximum = 2_592_000)]
    overlap_seconds: Option<u32>,
}

/// A new key, and its text: shown once, kept as a hash.
///
/// # Errors
/// When it is not right, or may more than who hands it out.
pub(crate) async fn key(app: &App, asking: &Asking, body: Body<IssueKey>) -> Result<(KeyId, String), Problem> {
    let now = app.log.clock().now();
    let (wish, mut errors) = (body.read(), Vec::new());
    if wish.name.is_none() {
        errors.push(wrong("name", "is missing", "give it a name, to tell it from others"));
    }
    if wish.expires_at.is_some_and(|end| end <= now) {
        errors.push(wrong("expires_at", "is in the past", "choose a time to come, or leave it out"));
    }
    errors.extend(beyond(&asking.caller, &wish.scopes));
    let (prefix, text) = new_text();
    let issued = |wish: &IssueKey| Issued {
        name: wish.name.clone().unwrap_or_default(),
        account: asking.caller.account,
        prefix: prefix.clone(),
        hash: token::hash(&text),
        scopes: wish.scopes.clone(),
        expires_at: wish.expires_at,
        addresses: wish.addresses.clone(),
        replaces: None,
    };
    errors.extend(issued(wish).faults().into_iter().map(told));
    let issued = issued(&body.fit(errors)?);
    let id = KeyId::new(Uuid::now_v7());
    let events = decided(&ApiKey::default(), ApiKeyCommand::Issue(issued))?;
    let append = Append::new(asking.meta()).stream(ApiKey::stream(id), Expected::New, events);
    app.log.append(append).await.map_err(|error| not_appended(&error))?;
    Ok((id, text))
}

/// Another key with the same rights; the old one goes on for a while, so that nothing stands still in between.
///
/// # Errors
/// When it is not there, was revoked, or another took its place already.
pub(crate) async fn rotate(
    app: &App,
    asking: &Asking,
    old: KeyId,
    body: Body<RotateKey>,
) -> Result<(KeyId, String), Problem> {
    let overlap = body.read().overlap_seconds.unwrap_or(OVERLAP);
    let too_long =
        (overlap > LONGEST_OVERLAP).then(|| wrong("overlap_seconds", "is too long", "choose at most 2592000: 30 days"));
    body.fit(too_long.into_iter().collect())?;
    let loaded: Loaded<ApiKey> = app.log.load(old).await.map_err(unread)?;
    let issued = loaded.state.issued().ok_or_else(|| Problem::new(Kind::NotFound))?;
    if let Some(beyond) = beyond(&asking.caller, &issued.scopes) {
        return Err(Problem::new(Kind::Forbidden).detail("the key may more than you").fields(vec![beyond]));
    }
    asking.hold(loaded.version)?;
    let (prefix, text) = new_text();
    let id = KeyId::new(Uuid::now_v7());
    let valid_until = app.log.clock().now() + TimeDelta::seconds(overlap.into());
    let new = Issued { prefix, hash: token::hash(&text), replaces: Some(old), ..issued.clone() };
    let rotated = decided(&loaded.state, ApiKeyCommand::Rotate { by: id, valid_until })?;
    let issued = decided(&ApiKey::default(), ApiKeyCommand::Issue(new))?;
    let append = Append::new(asking.meta()).stream(ApiKey::stream(old), loaded.expected(), rotated).stream(
        ApiKey::stream(id),
        Expected::New,
        issued,
    );
    app.log.append(append).await.map_err(|error| not_appended(&error))?;
    Ok((id, text))
}

/// What nobody can hand out: more than they have.
fn beyond(caller: &Caller, scopes: &BTreeSet<Permission>) -> Option<FieldProblem> {
    let over: Vec<&str> = scopes.iter().filter(|scope| !caller.permits(**scope)).map(|scope| scope.word()).collect();
    let problem = format!("you may not {} yourself", over.join(", "));
    (!over.is_empty()).then(|| wrong("scopes", &problem, "leave them out, or ask somebody who may"))
}

fn new_text() -> (String, String) {
    let prefix = token::random::<5>();
    let text = token::make(&format!("{KEY}{prefix}_")).expose().to_owned();
    (prefix, text)
}

fn decided(state: &ApiKey, command: ApiKeyCommand) -> Result<Vec<domain::NewEvent>, Problem> {
    let events = state.decide(command, &()).map_err(refused)?;
    events.iter().map(domain::Event::encode).collect::<Result<_, _>>().map_err(Problem::internal)
}

pub(crate) fn refused(no: ApiKeyRejection) -> Problem {
    match no {
        ApiKeyRejection::Unknown => Problem::new(Kind::NotFound),
        ApiKeyRejection::Invalid(errors) => Problem::new(Kind::Invalid).fields(errors.into_iter().map(told).collect()),
        no => Problem::new(Kind::NotPossible).detail(no.to_string()),
    }
}

fn told(error: domain::FieldError) -> FieldProblem {
    FieldProblem { field: error.field, problem: error.problem, fix: error.fix }
}
