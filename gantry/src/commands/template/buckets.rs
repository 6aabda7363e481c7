use serde_json::Value;

use crate::commands::following;
use crate::{
    client::Api,
    exit::{Exit, Outcome},
    output::{Colour, Output},
};

pub(super) async fn run(api: &Api, out: Output) -> Outcome {
    let (items, more) = api.client()?.list("/v1/buckets", &[], 500).await?;
    out.answer(&following::items(&items, more), || in_words(&items, out));
    Ok(Exit::Done)
}

fn in_words(buckets: &[Value], out: Output) -> String {
    let mut table = out.table(["bucket", "packages", "taken by"]);
    let words = |list: &Value| {
        let all: Vec<_> = list.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        all.join(" ")
    };
    let mut findings = String::new();
    for bucket in buckets {
        let name = bucket["name"].as_str().unwrap_or_default();
        let broken = bucket["findings"].as_array().is_some_and(|all| !all.is_empty());
        table.row([
            (name.to_owned(), Some(if broken { Colour::Bad } else { Colour::Strong })),
            (words(&bucket["packages"]), None),
            (words(&bucket["templates"]), None),
        ]);
        for one in bucket["findings"].as_array().into_iter().flatten() {
            let word = |name: &str| one[name].as_str().unwrap_or_default();
            findings += &format!("\n{}:{}: {}; {}", word("file"), one["line"], word("problem"), word("fix"));
        }
    }
    table.or_else("There are no buckets; they lie in `buckets`, beside the directory of templates.") + &findings
}
