//! What the machines of a host show of themselves: certificates and SSH keys. Only a person can say whether they are the
//! right ones.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::address::{split, with_port};
use crate::{
    exit::{Failure, Outcome},
    output::{self, Colour, Output},
};

/// The certificate at each address, as SHA-256.
pub(super) async fn certificates(addresses: &[String]) -> Outcome<BTreeMap<String, String>> {
    let mut seen = BTreeMap::new();
    for address in addresses {
        let (name, port) = split(address)?;
        let shown = proxmox::learn_fingerprint(&name, port).await.map_err(|error| {
            Failure::from(error).next("see that the address is right and reachable from here, or give --fingerprint")
        })?;
        seen.insert(address.clone(), shown.fingerprint.to_string());
    }
    Ok(seen)
}

pub(super) fn are_right(certificates: &BTreeMap<String, String>, trust: bool, out: Output) -> Outcome<()> {
    for (address, fingerprint) in certificates {
        out.say(format!("{address} shows the certificate\n  SHA-256 {}", out.paint(Colour::Strong, fingerprint)));
    }
    if trust || certificates.is_empty() {
        return Ok(());
    }
    out.say("On each node, `pvenode cert info` shows the same, if nobody stands between.");
    output::confirm(if certificates.len() == 1 { "Is it the right one?" } else { "Are they the right ones?" }, TRUST)
}

const TRUST: &str = "--trust, or what you trust: --fingerprint, --ssh-host-key";

/// Where the SSH of each node is, and the key that it shows there.
pub(super) type Keys = BTreeMap<String, (String, String)>;

/// `known`: the nodes that are there with their addresses; `said`: where the SSH of a node is when it is not there.
pub(super) async fn ssh_keys(
    known: impl IntoIterator<Item = (String, String)>,
    said: &[(String, String)],
    port: u16,
) -> Outcome<Keys> {
    let mut places: BTreeMap<String, String> = known.into_iter().collect();
    places.extend(said.iter().cloned());
    let mut keys = Keys::new();
    for (node, place) in places {
        let place = with_port(&place, port);
        let (name, port) = split(&place)?;
        let key = proxmox::shell::learn_host_key(&name, port).await.map_err(|error| {
            Failure::from(error).next(format!(
                "see that SSH of {node} is reachable from here at {place}, or say where: --ssh-node {node}=ADDRESS:PORT"
            ))
        })?;
        keys.insert(node, (place, key.to_string()));
    }
    Ok(keys)
}

pub(super) fn are_right_keys(keys: &Keys, trust: bool, out: Output) -> Outcome<()> {
    for (node, (place, key)) in keys {
        out.say(format!("{node} shows at {place} the SSH key\n  {}", out.paint(Colour::Strong, key)));
    }
    if trust || keys.is_empty() {
        return Ok(());
    }
    out.say("On each node, `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` shows the same.");
    output::confirm(if keys.len() == 1 { "Is it the right one?" } else { "Are they the right ones?" }, TRUST)
}

/// As the API takes them.
pub(super) fn nodes(keys: &Keys) -> Value {
    keys.iter().map(|(node, (place, key))| (node.clone(), json!({ "address": place, "host_key": key }))).collect()
}
