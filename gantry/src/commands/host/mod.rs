//! Proxmox hosts: registering one, the list of them, trusting a certificate.

mod add;
mod address;
mod looks;
mod maintenance;
mod pin;

use super::following;
use crate::{
    client::{Api, Client, read, shape},
    exit::{Exit, Failure, Outcome},
    output::{Colour, Output},
};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Host {
    /// Registers a Proxmox VE host: shows its certificate, asks whether it is the right one, seals the secret.
    Add(Box<add::Args>),
    /// The hosts and their nodes.
    #[command(visible_alias = "ls")]
    List {
        #[command(flatten)]
        api: Api,
    },
    /// Shows the certificates and SSH keys of a host that are not trusted yet, and trusts them after you said that they are right.
    Pin(pin::Args),
    /// Takes a host or one of its nodes out of what new containers are placed on, or back in.
    Maintenance(maintenance::Args),
}

impl Host {
    pub(crate) async fn run(self, out: Output) -> Outcome {
        match self {
            Self::Add(args) => add::run(*args, out).await,
            Self::List { api } => list(&api.client()?, out).await,
            Self::Pin(args) => pin::run(args, out).await,
            Self::Maintenance(args) => maintenance::run(args, out).await,
        }
    }
}

async fn find(client: &Client, named: &str) -> Outcome<shape::Host> {
    if named.parse::<uuid::Uuid>().is_ok() {
        return read(&client.get(&format!("/v1/hosts/{named}"), &[]).await?);
    }
    let (found, _) = client.list("/v1/hosts", &[("name", named)], 1).await?;
    let found = found.first().ok_or_else(|| {
        Failure::new(Exit::Refused, format!("there is no host {named}"))
            .next("`gantry host list` shows those there are")
    })?;
    read(found)
}

async fn list(client: &Client, out: Output) -> Outcome {
    let (items, more) = client.list("/v1/hosts", &[], 500).await?;
    let hosts: Vec<shape::Host> = items.iter().map(read).collect::<Outcome<_>>()?;
    out.answer(&following::items(&items, more), || {
        let mut table = out.table(["host", "address", "as", "certificate", "ssh", "nodes"]);
        for host in hosts {
            let pinned = host.fingerprint.is_some();
            let ssh = host.ssh.map_or_else(
                || ("none".to_owned(), Some(Colour::Bad)),
                |ssh| {
                    let pinned = ssh.host_key.is_some() || !ssh.nodes.is_empty();
                    let known = if pinned { "" } else { ", key not pinned" };
                    (format!("{}, port {}{known}", ssh.user, ssh.port), None)
                },
            );
            let nodes: Vec<String> = host.nodes.iter().map(node).collect();
            let state = if host.in_maintenance { " (maintenance)" } else { "" };
            table.row([
                (format!("{}{state}", host.name), Some(Colour::Strong)),
                (host.addresses.join(" "), None),
                (host.user, None),
                (
                    if pinned { "pinned" } else { "not pinned" }.to_owned(),
                    Some(if pinned { Colour::Good } else { Colour::Bad }),
                ),
                ssh,
                (nodes.join(" "), None),
            ]);
        }
        table.or_else("There are no hosts yet. `gantry host add` registers one.")
    });
    Ok(Exit::Done)
}

fn node(node: &shape::Node) -> String {
    match (&node.version, node.online) {
        (_, true) if node.in_maintenance => format!("{} (maintenance)", node.name),
        (_, false) => format!("{} (offline)", node.name),
        (Some(version), true) => format!("{} ({version})", node.name),
        (None, true) => node.name.clone(),
    }
}
