//! Faults from other processes: `GET`, `POST` and `DELETE /sim/faults`, with the root password as `Authorization: Bearer`.

use serde_json::json;

use super::answer::Response;
use super::connection::Face;
use super::reader::Request;
use crate::faults::Rule;

pub(super) fn answer(face: &Face, request: &Request) -> Response {
    let (status, body) = act(face, request);
    Response {
        status,
        reason: if status == 200 { "OK" } else { "Refused" }.to_owned(),
        body: body.to_string().into_bytes(),
        kind: "application/json",
        proxied: false,
        location: None,
    }
}

fn act(face: &Face, request: &Request) -> (u16, serde_json::Value) {
    let right = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "))
        == Some(face.world.options.root_password.as_str());
    if !right {
        return (401, json!({"error": "send the simulated root's password: Authorization: Bearer …"}));
    }
    let faults = &face.world.faults;
    match (request.method.as_str(), request.path.strip_prefix("/sim/").unwrap_or_default()) {
        ("GET", "faults") => (
            200,
            faults.list().into_iter().map(|(id, rule, hits)| json!({"id": id, "hits": hits, "rule": rule})).collect(),
        ),
        ("POST", "faults") => match serde_json::from_slice::<Rule>(&request.body) {
            Ok(rule) => (200, json!({"id": faults.add(rule)})),
            Err(error) => (400, json!({"error": error.to_string()})),
        },
        ("DELETE", "faults") => {
            faults.clear();
            (200, json!({}))
        }
        ("DELETE", path) => match path.strip_prefix("faults/").and_then(|id| id.parse().ok()) {
            Some(id) if faults.remove(id) => (200, json!({})),
            _ => (404, json!({"error": "no such rule"})),
        },
        ("POST", path) => match path.strip_prefix("nodes/").and_then(|rest| rest.split_once('/')) {
            Some((node, "away")) => {
                face.world.set_online(node, false);
                (200, json!({}))
            }
            Some((node, "back")) => {
                face.world.set_online(node, true);
                (200, json!({}))
            }
            _ => (404, json!({"error": "no such path"})),
        },
        _ => (404, json!({"error": "no such path"})),
    }
}
