//! What would happen, when it is asked with --dry-run.

use serde_json::Value;

use crate::{
    exit::{Exit, Outcome},
    output::{Colour, Output},
};

/// Shows the plan; one that is not possible is a refusal.
pub(super) fn show(plan: &Value, title: &str, out: Output) -> Outcome {
    let possible = plan["possible"].as_bool().unwrap_or_default();
    out.answer(plan, || words(plan, title, possible, out));
    Ok(if possible { Exit::Done } else { Exit::Refused })
}

fn words(plan: &Value, title: &str, possible: bool, out: Output) -> String {
    let (state, colour) =
        if possible { ("possible, nothing is done yet", Colour::Good) } else { ("not possible", Colour::Bad) };
    let mut text =
        format!("{} {}  {}\n", word(plan, "action"), out.paint(Colour::Strong, title), out.paint(colour, state));
    if plan["place"].is_object() {
        let place = &plan["place"];
        text += &format!(
            "\nWould go to {} on storage {}.\n",
            out.paint(Colour::Strong, &word(place, "node")),
            word(place, "storage")
        );
    }
    let mut nodes = out.table(["node", "host", "score", "why"]);
    let chosen = plan["place"]["node"].as_str();
    for one in list(plan, "considered") {
        let node = word(one, "node");
        let colour = match one["score"].is_u64() {
            true if chosen == Some(&node) => Colour::Good,
            true => Colour::Faint,
            false => Colour::Bad,
        };
        let score = one["score"].as_u64().map_or_else(|| "no".to_owned(), |score| score.to_string());
        nodes.row([
            (node, Some(colour)),
            (word(one, "host_name"), None),
            (score, Some(colour)),
            (word(one, "why"), None),
        ]);
    }
    part(&mut text, &nodes.or_else(""));
    let mut calls = out.table(["call", "of Proxmox", "with"]);
    for call in list(plan, "calls") {
        let with = call["parameters"].as_object().into_iter().flatten();
        let with: Vec<String> =
            with.map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default())).collect();
        calls.row([(word(call, "method"), Some(Colour::Strong)), (word(call, "path"), None), (with.join(" "), None)]);
    }
    part(&mut text, &calls.or_else(""));
    let mut quota = out.table(["quota", "used", "asked", "left"]);
    for one in list(plan, "quota") {
        let number = |name: &str| one[name].as_i64().map_or_else(|| "no limit".to_owned(), |n| n.to_string());
        quota.row([(word(one, "what"), None), (number("used"), None), (number("asked"), None), (number("left"), None)]);
    }
    part(&mut text, &quota.or_else(""));
    let conflict = |one: &Value| format!("{}: {} ({})", word(one, "field"), word(one, "problem"), word(one, "fix"));
    let conflicts: Vec<String> = list(plan, "conflicts").map(|one| out.paint(Colour::Bad, &conflict(one))).collect();
    part(&mut text, &conflicts.join("\n"));
    let notes: Vec<&str> = list(plan, "notes").filter_map(Value::as_str).collect();
    part(&mut text, &notes.join("\n"));
    text
}

fn part(text: &mut String, more: &str) {
    if !more.is_empty() {
        *text += &format!("\n{more}\n");
    }
}

fn word(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value[name].as_array().into_iter().flatten()
}
