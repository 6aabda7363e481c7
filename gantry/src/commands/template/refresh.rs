use serde_json::{Value, json};

use crate::{
    client::Api,
    exit::{Exit, Outcome},
    output::{Colour, Output},
};

pub(super) async fn run(api: &Api, out: Output) -> Outcome {
    let answer = api.client()?.post("/v1/templates/refresh", &json!({})).await?;
    out.answer(&answer, || in_words(&answer, out));
    Ok(Exit::Done)
}

fn in_words(answer: &Value, out: Output) -> String {
    let changes = answer["changes"].as_array().into_iter().flatten().map(|change| {
        let kind = change["change"].as_str().unwrap_or_default();
        let colour = match kind {
            "added" => Colour::Good,
            "changed" => Colour::Busy,
            _ => Colour::Bad,
        };
        let reason = change["reason"].as_str().map(|reason| format!(": {reason}")).unwrap_or_default();
        let template = change["template"].as_str().unwrap_or_default();
        format!("{} {template}{reason}\n", out.paint(colour, &format!("{kind:<8}")))
    });
    let changes: String = changes.collect();
    let none = if changes.is_empty() { ", nothing has changed" } else { "" };
    format!("{changes}{} templates{none}", answer["templates"])
}
