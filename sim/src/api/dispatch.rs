//! From a request to its answer: path, caller, rights, parameters, call.

use serde_json::Value;

use super::answer::{Done, Format, Response};
use super::asked::Asked;
use super::connection::Face;
use super::reader::Request;
use super::websocket::Opened;
use super::{auth, faults, form, routes};
use crate::faults::{Effect, TaskFault};
use crate::model::access::Who;
use crate::refusal::Refusal;
use crate::schema::{self, Found, Given};

pub(super) enum Outcome {
    Answer(Response),
    Reset,
    Upgrade(Opened),
}

pub(super) async fn answer(face: &Face, request: &Request) -> Outcome {
    if request.path.starts_with("/sim/") {
        return Outcome::Answer(faults::answer(face, request));
    }
    if !matches!(request.method.as_str(), "GET" | "POST" | "PUT" | "DELETE") {
        return Outcome::Answer(Response::plain(501, &format!("method '{}' not available", request.method)));
    }
    let Some((format, path)) = split(&request.path) else {
        return Outcome::Answer(Response::plain(501, &format!("no such file '{}'", request.path)));
    };
    let format = match format.as_str() {
        "json" => Format::Json,
        "extjs" => Format::Ext,
        other => {
            return Outcome::Answer(Response::plain(
                501,
                &format!("no formatter for uri /{}, {other}", path.join("/")),
            ));
        }
    };
    let given = match parameters(request) {
        Ok(given) => given,
        Err(response) => return Outcome::Answer(response),
    };
    let plain = format!("/{}", path.join("/"));
    let vmid = word_after(&path, &["lxc", "qemu"]).and_then(|id| id.parse().ok()).or_else(|| {
        given
            .get("vmid")
            .and_then(|id| id.as_str().map_or_else(|| id.as_u64().map(|id| id as u32), |id| id.parse().ok()))
    });
    let effects = face.world.faults.on_call(&request.method, &plain, word_after(&path, &["nodes"]), vmid);
    for effect in &effects {
        match effect {
            Effect::LatencyMs(time) => tokio::time::sleep(std::time::Duration::from_millis(*time)).await,
            Effect::Status { status, reason } => {
                return Outcome::Answer(Response::of(format, Err(Refusal::with(*status, reason.clone())), false));
            }
            Effect::Proxy { status, reason, done: false } => return Outcome::Answer(Response::empty(*status, reason)),
            Effect::ResetBefore => return Outcome::Reset,
            Effect::Certificate => {
                if let Err(error) = face.shown.replace() {
                    tracing::error!(%error, "no other certificate could be made");
                }
            }
            _ => {}
        }
    }
    let fault = effects.iter().find_map(|effect| match effect {
        Effect::TaskHangs => Some(TaskFault::Hangs),
        Effect::TaskFails(text) => Some(TaskFault::Fails(text.clone())),
        Effect::TaskFailsAfter(text) => Some(TaskFault::FailsAfter(text.clone())),
        Effect::TaskWarns(count) => Some(TaskFault::Warns(*count)),
        _ => None,
    });
    let outcome = call(face, request, format, &path, given, fault).await;
    for effect in &effects {
        match effect {
            Effect::ResetAfter => return Outcome::Reset,
            Effect::Proxy { status, reason, done: true } => return Outcome::Answer(Response::empty(*status, reason)),
            _ => {}
        }
    }
    outcome
}

/// `/api2/json/nodes` in its format and its decoded words.
fn split(path: &str) -> Option<(String, Vec<String>)> {
    let mut words =
        path.strip_prefix("/api2/")?.split('/').filter(|word| !word.is_empty()).map(|word| form::decode(word, false));
    let format = words.next()?;
    Some((format, words.collect()))
}

fn word_after<'a>(path: &'a [String], before: &[&str]) -> Option<&'a str> {
    path.windows(2).find(|pair| before.contains(&pair[0].as_str())).map(|pair| pair[1].as_str())
}

fn parameters(request: &Request) -> Result<Given, Response> {
    let mut given = Given::new();
    form::read(&request.query, &mut given);
    let kind = request.header("content-type").unwrap_or_default();
    if request.body.is_empty() {
        return Ok(given);
    }
    let body = String::from_utf8_lossy(&request.body);
    match kind.split(';').next().unwrap_or_default().trim() {
        "application/x-www-form-urlencoded" | "" => form::read(&body, &mut given),
        "application/json" => match serde_json::from_str::<Given>(&body) {
            Ok(all) => given.extend(all),
            Err(_) => {
                let at = body.char_indices().nth(1).map_or("", |(at, _)| &body[at..]);
                let reason = format!(
                    "'\"' expected, at character offset 1 (before \"{at}\") at /usr/share/perl5/PVE/APIServer/AnyEvent.pm line 934.\n"
                );
                return Err(Response::plain(500, &reason));
            }
        },
        _ => return Err(Response::plain(506, &format!("upload 'Content-Type '{kind}' not implemented"))),
    }
    Ok(given)
}

async fn call(
    face: &Face,
    request: &Request,
    format: Format,
    path: &[String],
    given: Given,
    fault: Option<TaskFault>,
) -> Outcome {
    let world = &face.world;
    let found = schema::find(&request.method, path);
    let open = found.as_ref().is_some_and(|found| found.call.user.as_deref() == Some("world"));
    let who = match auth::caller(world, request) {
        Ok(who) => who,
        // Anyone may log in, whatever else they send; a token that is good still counts as one.
        Err(_) if open => Who { user: String::new(), token: None },
        Err(refusal) => {
            tokio::time::sleep(world.options.auth_delay).await;
            return Outcome::Answer(Response::empty(401, &refusal.message));
        }
    };
    let Some(found) = found else {
        let refusal = Refusal::with(501, format!("Method '{} /{}' not implemented", request.method, path.join("/")));
        return Outcome::Answer(if is_index(request, path) {
            Response::of(format, Ok(routes::index(path).into()), false)
        } else {
            Response::of(format, Err(refusal), false)
        });
    };
    let protected = found.call.protected == 1;
    if found.name.ends_with("/vncwebsocket") {
        return match allowed(face, &found, &who, given).and_then(|asked| super::websocket::open(&asked, request)) {
            Ok(opened) => Outcome::Upgrade(opened),
            Err(refusal) => Outcome::Answer(Response::of(format, Err(refusal), protected)),
        };
    }
    let done = match allowed(face, &found, &who, given) {
        Ok(mut asked) => {
            asked.fault = fault;
            routes::answer(found.name, &asked).await
        }
        Err(refusal) if refusal.status == 595 => return Outcome::Answer(Response::empty(595, &refusal.message)),
        Err(refusal) => Err(refusal),
    };
    if let Err(refusal) = &done
        && refusal.status == 401
    {
        tokio::time::sleep(world.options.auth_delay).await;
    }
    Outcome::Answer(Response::of(format, done, protected))
}

fn is_index(request: &Request, path: &[String]) -> bool {
    request.method == "GET" && path.is_empty()
}

/// Lets a call through, or not: in the order of the real one.
fn allowed(face: &Face, found: &Found, who: &Who, given: Given) -> Result<Asked, Refusal> {
    let world = &face.world;
    let mut params: Given =
        found.path.iter().map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect();
    for (name, value) in given {
        match found.path.get(&name) {
            Some(known) if value.as_str().map_or_else(|| value.to_string(), str::to_owned) != *known => {
                return Err(Refusal::parameter(
                    &name,
                    "duplicate parameter (already defined in URI) with conflicting values!",
                ));
            }
            Some(_) => {}
            None => {
                params.insert(name, value);
            }
        }
    }
    if found.call.ticket == 1 && who.token.is_some() {
        let shown = found.name.split_once(' ').map_or("", |(_, path)| path);
        return Err(Refusal::forbidden(&format!("URI '{shown}' not available with API token, need proper ticket.")));
    }
    if found.call.user.is_none() && !who.is_root() {
        match &found.call.check {
            Some(check) => world.state().check(who, check, &params)?,
            None => return Err(Refusal::forbidden("user != root@pam")),
        }
    }
    let mut node = face.node.clone();
    if let Some(asked) = found.path.get("node").filter(|asked| *asked != "localhost") {
        node.clone_from(asked);
        let known = world.state().nodes.get(asked).map(|node| node.online);
        match known {
            None => {
                return Err(Refusal::died(format!(
                    "hostname lookup '{asked}' failed - failed to get address info for: {asked}: Temporary failure in name resolution"
                )));
            }
            Some(false) => return Err(Refusal::with(595, "No route to host")),
            Some(true) => {}
        }
    }
    let errors = schema::check(&found.call.params, &params);
    if !errors.is_empty() {
        return Err(Refusal::parameters(errors));
    }
    Ok(Asked { world: world.clone(), who: who.clone(), node, params, fault: None })
}

/// What a call answers when it is in the schema but not simulated.
pub(super) fn not_simulated(name: &str) -> Result<Done, Refusal> {
    Err(Refusal::with(501, format!("Method '{name}' not implemented")))
}
