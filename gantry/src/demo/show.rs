//! What the demo shows once everything runs: a container being made, through the API as anybody would.

use domain::progress::ProgressKind;
use serde_json::json;
use uuid::Uuid;

use crate::{
    client::{Client, Event, read, shape},
    commands,
    exit::{Exit, Outcome},
    output::{Colour, Output},
};

const HOSTNAME: &str = "web1";

pub(super) async fn create(client: &Client, url: &str, out: Output) -> Outcome {
    let operation = ask(client, url, out).await?;
    commands::to_the_end(client, operation, HOSTNAME, 0, out).await
}

async fn ask(client: &Client, url: &str, out: Output) -> Outcome<Uuid> {
    let wish = json!({ "hostname": HOSTNAME, "template": "nginx" });
    out.say(format!("{} POST {url}/v1/containers {wish}\n", out.paint(Colour::Good, "●")));
    let answer = client.post("/v1/containers", &wish).await?;
    let operation: shape::Operation = read(&answer)?;
    Ok(operation.id)
}

/// The same where no script can run: as far as the guest goes by itself. Then it is called off and taken down again, so
/// that nothing is called ready that is not.
pub(super) async fn create_without_scripts(client: &Client, url: &str, out: Output) -> Outcome {
    out.say("nginx and the scripts can't be run on this machine: the create is called off as soon as its guest runs.");
    let operation = ask(client, url, out).await?;
    let (ended, called_off) =
        tokio::join!(commands::to_the_end(client, operation, HOSTNAME, 0, out), call_off(client, operation));
    called_off?;
    match ended? {
        Exit::Cancelled => Ok(Exit::Done),
        other => Ok(other),
    }
}

async fn call_off(client: &Client, operation: Uuid) -> Outcome<()> {
    let mut watch = client.watch(operation, 0);
    while let Some(event) = watch.next().await? {
        let Event::Progress { progress, .. } = event else { continue };
        if matches!(progress.kind, ProgressKind::Step { step: Some(phase), .. } if phase == "deploying") {
            client.post(&format!("/v1/operations/{operation}/cancel"), &json!({})).await?;
            break;
        }
    }
    Ok(())
}

pub(super) fn to_try(url: &str, token: &str, out: Output) -> String {
    let head = |text: &str| out.paint(Colour::Strong, text);
    format!(
        "\n{}\n  {url}        its documentation: {url}/docs/\n\n{}\n  export GANTRY_URL={url} GANTRY_TOKEN={token}\n\n{}\n  \
         curl -H \"Authorization: Bearer $GANTRY_TOKEN\" $GANTRY_URL/v1/containers\n  \
         curl -H \"Authorization: Bearer $GANTRY_TOKEN\" -H 'content-type: application/json' -d '{{\"hostname\":\"web2\",\"template\":\"nginx\"}}' $GANTRY_URL/v1/containers\n  \
         curl -N -H \"Authorization: Bearer $GANTRY_TOKEN\" $GANTRY_URL/v1/operations/<id of that answer>/events\n\n{}\n  \
         gantry ls        gantry show {HOSTNAME}        gantry create web3 --template nginx\n\nIt runs until you press Ctrl-C; then all of it is gone.",
        head("The API"),
        head("In another terminal"),
        head("Three to try"),
        head("Or with the command line"),
    )
}
