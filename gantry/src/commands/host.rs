//! Proxmox hosts: registering one, the list of them, trusting a certificate.

use std::path::PathBuf;

use serde_json::json;

use super::following;
use crate::{
    client::{Api, Client, read, shape},
    exit::{Exit, Failure, Outcome, While as _},
    output::{self, Colour, Output},
};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Host {
    /// Registers a Proxmox VE host: shows its certificate, asks whether it is the right one, seals the secret.
    Add(Box<Add>),
    /// The hosts and their nodes.
    #[command(visible_alias = "ls")]
    List {
        #[command(flatten)]
        api: Api,
    },
    /// Trusts the certificate that a host shows now, after you said that it is the right one.
    Pin(Pin),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    #[command(flatten)]
    api: Api,
    /// What you call it.
    name: String,
    /// Where it answers; more than one for the nodes of a cluster. The port is 8006 if you don't say.
    #[arg(required = true, value_name = "NAME[:PORT]")]
    address: Vec<String>,
    /// The API token, `user@realm!name`; its secret comes from GANTRY_HOST_SECRET or standard input.
    #[arg(long, value_name = "ID", required_unless_present = "user", conflicts_with = "user")]
    token: Option<String>,
    /// A user like root@pam in place of a token; the password comes from GANTRY_HOST_SECRET or standard input.
    #[arg(long)]
    user: Option<String>,
    /// The private key that may log in by SSH; without it no script can run in a container.
    #[arg(long, value_name = "FILE")]
    ssh_key: Option<PathBuf>,
    #[arg(long, default_value = "root")]
    ssh_user: String,
    #[arg(long, default_value_t = 22)]
    ssh_port: u16,
    /// The host's SSH key, as the host shows it: `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`.
    #[arg(long, value_name = "KEY")]
    ssh_host_key: Option<String>,
    /// The certificate's SHA-256, as the host shows it: `pvenode cert info`. Without it, it is asked for and shown.
    #[arg(long)]
    fingerprint: Option<String>,
    /// Trust what the host shows now, without a question.
    #[arg(long)]
    trust: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Pin {
    #[command(flatten)]
    api: Api,
    /// The host's name or id.
    host: String,
    #[arg(long)]
    fingerprint: Option<String>,
    #[arg(long)]
    trust: bool,
}

impl Host {
    pub(crate) async fn run(self, out: Output) -> Outcome {
        match self {
            Self::Add(args) => add(*args, out).await,
            Self::List { api } => list(&api.client()?, out).await,
            Self::Pin(args) => pin(args, out).await,
        }
    }
}

async fn add(args: Add, out: Output) -> Outcome {
    let client = args.api.client()?;
    let addresses: Vec<String> = args.address.iter().map(|text| with_port(text)).collect();
    let first = addresses.first().cloned().unwrap_or_default();
    let fingerprint = match args.fingerprint {
        Some(fingerprint) => fingerprint,
        None => certificate(&first, args.trust, out).await?,
    };
    let mut wish = json!({ "name": args.name, "addresses": addresses, "fingerprint": fingerprint });
    if let Some(file) = &args.ssh_key {
        let host_key = match args.ssh_host_key {
            Some(key) => key,
            None => ssh_host_key(&first, args.ssh_port, args.trust, out).await?,
        };
        let key = std::fs::read_to_string(file).during(format!("reading {}", file.display()))?;
        wish["ssh"] = json!({ "user": args.ssh_user, "port": args.ssh_port, "private_key": key, "host_key": host_key });
    }
    let (kind, who, field) = match (&args.token, &args.user) {
        (Some(id), _) => ("token", id, "id"),
        (None, Some(user)) => ("password", user, "user"),
        (None, None) => return Err(Failure::new(Exit::Usage, "neither --token nor --user is given")),
    };
    let secret = output::secret_input("GANTRY_HOST_SECRET", &format!("the secret of {who}"))?;
    wish[kind] = json!({ field: who, "secret": secret.expose() });
    let host = client.post("/v1/hosts", &wish).await?;
    out.answer(&host, || format!("{} is registered. `gantry doctor {0}` tells what is missing there.", args.name));
    Ok(Exit::Done)
}

async fn pin(args: Pin, out: Output) -> Outcome {
    let client = args.api.client()?;
    let host = find(&client, &args.host).await?;
    let fingerprint = match args.fingerprint {
        Some(fingerprint) => fingerprint,
        None => certificate(host.addresses.first().map_or("", String::as_str), args.trust, out).await?,
    };
    let answer = client.post(&format!("/v1/hosts/{}/pin", host.id), &json!({ "fingerprint": fingerprint })).await?;
    out.answer(&answer, || format!("{} is trusted with {fingerprint}.", host.name));
    Ok(Exit::Done)
}

/// Shows what the host shows. Only a person can say whether it is the right one.
async fn certificate(address: &str, trust: bool, out: Output) -> Outcome<String> {
    let (name, port) = split(address)?;
    let shown = proxmox::learn_fingerprint(&name, port).await.map_err(|error| {
        Failure::from(error).next("see that the address is right and reachable from here, or give --fingerprint")
    })?;
    out.say(format!("{address} shows the certificate of {}\n  SHA-256 {}", shown.subject, shown.fingerprint));
    if !trust {
        out.say("On the host, `pvenode cert info` shows the same, if nobody stands between.");
        output::confirm("Is it the right one?", "--fingerprint, or --trust")?;
    }
    Ok(shown.fingerprint.to_string())
}

async fn ssh_host_key(address: &str, port: u16, trust: bool, out: Output) -> Outcome<String> {
    let (name, _) = split(address)?;
    let key = proxmox::shell::learn_host_key(&name, port)
        .await
        .map_err(|error| Failure::from(error).next("see that SSH is reachable from here, or give --ssh-host-key"))?;
    out.say(format!("{name} shows the SSH key\n  {key}"));
    if !trust {
        out.say("On the host, `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` shows the same.");
        output::confirm("Is it the right one?", "--ssh-host-key, or --trust")?;
    }
    Ok(key.to_string())
}

fn with_port(address: &str) -> String {
    let has_port = address
        .rsplit_once(':')
        .is_some_and(|(name, port)| port.parse::<u16>().is_ok() && (!name.contains(':') || name.ends_with(']')));
    match (has_port, address.contains(':') && !address.starts_with('[')) {
        (true, _) => address.to_owned(),
        (false, true) => format!("[{address}]:8006"),
        (false, false) => format!("{address}:8006"),
    }
}

fn split(address: &str) -> Outcome<(String, u16)> {
    let parts = address.rsplit_once(':').and_then(|(name, port)| Some((name, port.parse().ok()?)));
    let (name, port) = parts.ok_or_else(|| Failure::new(Exit::Usage, format!("{address:?} is no address")))?;
    Ok((name.trim_matches(['[', ']']).to_owned(), port))
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
                    let known = if ssh.host_key.is_some() { "" } else { ", key not pinned" };
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
        (_, false) => format!("{} (offline)", node.name),
        (Some(version), true) => format!("{} ({version})", node.name),
        (None, true) => node.name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_gets_the_port_of_proxmox_when_it_has_none() {
        for (given, wanted) in [
            ("pve1", "pve1:8006"),
            ("pve1:443", "pve1:443"),
            ("192.0.2.1", "192.0.2.1:8006"),
            ("2001:db8::1", "[2001:db8::1]:8006"),
            ("[2001:db8::1]", "[2001:db8::1]:8006"),
            ("[2001:db8::1]:443", "[2001:db8::1]:443"),
        ] {
            assert_eq!(with_port(given), wanted);
        }
    }
}
