use serde_json::Value;

use crate::{
    client::{Api, read, shape},
    commands::following,
    exit::{Exit, Outcome},
    output::{Colour, Output, words},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Behind {
    #[command(flatten)]
    api: Api,
    /// Only those of this template.
    template: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct History {
    #[command(flatten)]
    api: Api,
    /// The container's name or id.
    container: String,
}

pub(super) async fn behind(args: &Behind, out: Output) -> Outcome {
    let client = args.api.client()?;
    let mut asked = vec![("behind", "true")];
    asked.extend(args.template.as_deref().map(|name| ("template", name)));
    let (items, more) = client.list("/v1/containers", &asked, 1000).await?;
    let containers: Vec<shape::Container> = items.iter().map(read).collect::<Outcome<_>>()?;
    let mut differences = Vec::new();
    for container in &containers {
        differences.push(client.get(&format!("/v1/containers/{}/template", container.id), &[]).await?);
    }
    out.answer(&following::items(&differences, more), || {
        let mut table = out.table(["container", "template", "what is other"]);
        for (container, of) in containers.iter().zip(&differences) {
            table.row([
                (container.hostname.clone(), Some(Colour::Strong)),
                (of["template"].as_str().unwrap_or_default().to_owned(), None),
                (other(of), None),
            ]);
        }
        table.or_else("Every container has its template's newest version.")
    });
    Ok(Exit::Done)
}

fn other(of: &Value) -> String {
    let word = |one: &Value, name: &str| one[name].as_str().unwrap_or_default().to_owned();
    let one = |one: &Value| format!("{} {} {}", word(one, "part"), word(one, "name"), word(one, "change"));
    of["differences"].as_array().into_iter().flatten().map(one).collect::<Vec<_>>().join(", ")
}

pub(super) async fn history(args: &History, out: Output) -> Outcome {
    let client = args.api.client()?;
    let id = client.container(&args.container).await?;
    let of = client.get(&format!("/v1/containers/{id}/template"), &[]).await?;
    out.answer(&of, || {
        let mut table = out.table(["version", "since", "by"]);
        for one in of["history"].as_array().into_iter().flatten() {
            let word = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
            let short: String = word("version").chars().take(12).collect();
            let at = word("at").parse().map(|at| format!("{} ago", words::ago(at))).unwrap_or_default();
            table.row([(short, Some(Colour::Strong)), (at, None), (word("operation"), None)]);
        }
        let behind = if of["behind"] == true { format!("\nBehind: {}", other(&of)) } else { String::new() };
        table.or_else("It had none yet.") + &behind
    });
    Ok(Exit::Done)
}
