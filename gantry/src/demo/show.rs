//! What the demo shows once everything runs: a container being made, through the API as anybody would.

use serde_json::json;

use crate::{
    client::{Client, read, shape},
    commands,
    exit::{Exit, Outcome},
    output::{Colour, Output},
};

const HOSTNAME: &str = "web1";

pub(super) async fn create(client: &Client, url: &str, token: &str, ends: bool, out: Output) -> Outcome {
    let wish = json!({ "hostname": HOSTNAME, "template": "nginx" });
    out.say(format!("{} POST {url}/v1/containers {wish}\n", out.paint(Colour::Good, "●")));
    let answer = client.post("/v1/containers", &wish).await?;
    let operation: shape::Operation = read(&answer)?;
    let ended = commands::to_the_end(client, operation.id, HOSTNAME, 0, out).await?;
    if ended == Exit::Done && !ends {
        out.say(to_try(url, token, out));
    }
    Ok(ended)
}

fn to_try(url: &str, token: &str, out: Output) -> String {
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
