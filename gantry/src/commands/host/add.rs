use std::{collections::BTreeMap, path::PathBuf};

use proxmox::{Address, Auth, Client, Endpoint};
use serde_json::json;

use super::{address, looks};
use crate::{
    client::Api,
    exit::{Exit, Failure, Outcome, While as _},
    output::{self, Output},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
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
    /// Where the SSH of a node is, when it is not at the address that the cluster has for it; may be repeated.
    #[arg(long, value_name = "NODE=ADDRESS[:PORT]", value_parser = address::of_node)]
    ssh_node: Vec<(String, String)>,
    /// The SSH key of a single server, as it shows it: `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`.
    #[arg(long, value_name = "KEY")]
    ssh_host_key: Option<String>,
    /// The certificate's SHA-256, as the host shows it: `pvenode cert info`; repeated for each address, in their order.
    /// Without it, it is asked for and shown.
    #[arg(long)]
    fingerprint: Vec<String>,
    /// Trust what the host shows now, without a question.
    #[arg(long)]
    trust: bool,
}

pub(super) async fn run(args: Args, out: Output) -> Outcome {
    let client = args.api.client()?;
    let addresses: Vec<String> = args.address.iter().map(|text| address::with_port(text, 8006)).collect();
    let mut pins: BTreeMap<String, String> = addresses.iter().cloned().zip(args.fingerprint.clone()).collect();
    let unknown: Vec<String> = addresses.iter().filter(|address| !pins.contains_key(*address)).cloned().collect();
    let seen = looks::certificates(&unknown).await?;
    looks::are_right(&seen, args.trust, out)?;
    pins.extend(seen);

    let (kind, who, field) = match (&args.token, &args.user) {
        (Some(id), _) => ("token", id, "id"),
        (None, Some(user)) => ("password", user, "user"),
        (None, None) => return Err(Failure::new(Exit::Usage, "neither --token nor --user is given")),
    };
    let secret = output::secret_input("GANTRY_HOST_SECRET", &format!("the secret of {who}"))?;
    let mut wish = json!({ "name": args.name, "addresses": addresses, "pins": pins });
    wish["fingerprint"] = json!(addresses.first().and_then(|first| pins.get(first)));
    wish[kind] = json!({ field: who, "secret": secret.expose() });
    if let Some(file) = &args.ssh_key {
        let key = std::fs::read_to_string(file).during(format!("reading {}", file.display()))?;
        wish["ssh"] = json!({ "user": args.ssh_user, "port": args.ssh_port, "private_key": key });
        if let Some(host_key) = &args.ssh_host_key {
            wish["ssh"]["host_key"] = json!(host_key);
        } else {
            let secret = proxmox::shell::Secret::new(secret.expose().as_bytes().to_vec());
            let auth = match kind {
                "token" => Auth::Token { id: who.clone(), secret },
                _ => Auth::Password { user: who.clone(), password: secret },
            };
            let known = members(&args.name, &addresses, &pins, auth).await?;
            let keys = looks::ssh_keys(known, &args.ssh_node, args.ssh_port).await?;
            looks::are_right_keys(&keys, args.trust, out)?;
            wish["ssh"]["nodes"] = looks::nodes(&keys);
        }
    }
    let host = client.post("/v1/hosts", &wish).await?;
    out.answer(&host, || format!("{} is registered. `gantry doctor {0}` tells what is missing there.", args.name));
    Ok(Exit::Done)
}

/// The nodes that are up, and where they are: as the cluster tells it, or where the API of a single server is.
async fn members(
    name: &str,
    addresses: &[String],
    pins: &BTreeMap<String, String>,
    auth: Auth,
) -> Outcome<Vec<(String, String)>> {
    let mut places = Vec::new();
    for text in addresses {
        let (host, port) = address::split(text)?;
        let fingerprint = pins.get(text).map(String::as_str).unwrap_or_default().parse()?;
        places.push(Address { host, port, fingerprint });
    }
    let first = places.first().map(|place| place.host.clone()).unwrap_or_default();
    let endpoint = Endpoint { name: name.to_owned(), addresses: places, auth, limits: proxmox::Limits::default() };
    let asking = || format!("asking {name} for its nodes");
    let host = Client::new(endpoint).during(asking())?;
    let members = host.members().await.during(asking())?;
    if members.is_empty() {
        let nodes = host.nodes().await.during(asking())?;
        return Ok(nodes.into_iter().map(|node| (node.node, first.clone())).collect());
    }
    let up = members.into_iter().filter(|member| member.online);
    Ok(up.filter_map(|member| Some((member.node, member.address?))).collect())
}
