use serde_json::json;

use super::{address, find, looks};
use crate::{
    client::Api,
    exit::{Exit, Outcome},
    output::Output,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    api: Api,
    /// The host's name or id.
    host: String,
    /// The certificate of its first address, without asking the host for it.
    #[arg(long)]
    fingerprint: Option<String>,
    /// Where the SSH of a node is, when it is not at the address that the cluster has for it; may be repeated.
    #[arg(long, value_name = "NODE=ADDRESS[:PORT]", value_parser = address::of_node)]
    ssh_node: Vec<(String, String)>,
    /// Trust what the host shows now, without a question.
    #[arg(long)]
    trust: bool,
}

pub(super) async fn run(args: Args, out: Output) -> Outcome {
    let client = args.api.client()?;
    let host = find(&client, &args.host).await?;
    let mut wish = json!({});
    if let Some(fingerprint) = &args.fingerprint {
        wish["fingerprint"] = json!(fingerprint);
    } else {
        let mut seen = looks::certificates(&host.addresses).await?;
        seen.retain(|address, shown| host.pins.get(address).or(host.fingerprint.as_ref()) != Some(shown));
        looks::are_right(&seen, args.trust, out)?;
        wish["pins"] = json!(seen);
    }
    if let Some(ssh) = &host.ssh {
        let up = host.nodes.iter().filter(|node| node.online);
        let known = up.filter_map(|node| {
            let own = ssh.nodes.get(&node.name).map(|own| own.address.clone());
            let alone = || host.addresses.first().and_then(|text| address::split(text).ok()).map(|(name, _)| name);
            Some((node.name.clone(), own.or_else(|| node.address.clone()).or_else(alone)?))
        });
        let mut keys = looks::ssh_keys(known, &args.ssh_node, ssh.port).await?;
        keys.retain(|node, (place, key)| {
            ssh.nodes.get(node).is_none_or(|own| (&own.address, &own.host_key) != (&*place, &*key))
        });
        looks::are_right_keys(&keys, args.trust, out)?;
        wish["ssh"] = json!({ "nodes": looks::nodes(&keys) });
    }
    if wish["pins"].as_object().is_none_or(serde_json::Map::is_empty)
        && wish["ssh"]["nodes"].as_object().is_none_or(serde_json::Map::is_empty)
        && args.fingerprint.is_none()
    {
        out.say(format!("{} shows what is trusted already.", host.name));
        return Ok(Exit::Done);
    }
    let answer = client.post(&format!("/v1/hosts/{}/pin", host.id), &wish).await?;
    out.answer(&answer, || format!("{} is trusted with what it shows now.", host.name));
    Ok(Exit::Done)
}
