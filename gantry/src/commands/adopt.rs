//! Making a guest that is on Proxmox already a container, and giving one back.

use serde_json::json;
use uuid::Uuid;

use super::following;
use crate::{
    client::{Api, Client, read, shape},
    exit::{Exit, Failure, Outcome},
    output::{self, Output},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Adopt {
    #[command(flatten)]
    api: Api,
    /// The host's name or id.
    host: String,
    /// The guest's number there.
    vmid: u32,
    /// Whose it is to be: the account's id.
    #[arg(long, value_name = "ID")]
    account: Option<Uuid>,
    /// Do not follow it.
    #[arg(long, short)]
    detach: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Release {
    #[command(flatten)]
    api: Api,
    /// Its name or id.
    container: String,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
    /// Do not follow it.
    #[arg(long, short)]
    detach: bool,
}

pub(crate) async fn adopt(args: Adopt, out: Output) -> Outcome {
    let client = args.api.client()?;
    let host = host(&client, &args.host).await?;
    let wish = args.account.map_or_else(|| json!({}), |account| json!({ "account": account }));
    let answer = client.post(&format!("/v1/hosts/{host}/guests/{}/adopt", args.vmid), &wish).await?;
    following::accepted(&client, &answer, &args.vmid.to_string(), args.detach, out).await
}

pub(crate) async fn release(args: Release, out: Output) -> Outcome {
    let client = args.api.client()?;
    let id = client.container(&args.container).await?;
    if !args.yes {
        output::confirm(&format!("Give {} back? Gantry forgets it; its guest stays.", args.container), "--yes")?;
    }
    let answer = client.act(&format!("/v1/containers/{id}/release"), &[]).await?;
    following::accepted(&client, &answer, &args.container, args.detach, out).await
}

async fn host(client: &Client, named: &str) -> Outcome<Uuid> {
    if let Ok(id) = named.parse() {
        return Ok(id);
    }
    let (items, _) = client.list("/v1/hosts", &[], 500).await?;
    let hosts: Vec<shape::Host> = items.iter().map(read).collect::<Outcome<_>>()?;
    hosts.into_iter().find(|host| host.name == named).map(|host| host.id).ok_or_else(|| {
        Failure::new(Exit::Refused, format!("there is no host {named}"))
            .next("`gantry host list` shows those there are")
    })
}
