//! A simulated cluster, and its host as somebody registers it.

use std::path::Path;

use serde_json::{Map, Value, json};
use sim::Sim;

/// All have the same nodes and count their guests alike.
pub(crate) struct Cluster {
    pub(crate) name: &'static str,
    pub(crate) sim: Sim,
    /// Of the token that it gave us.
    secret: String,
}

impl Cluster {
    pub(crate) async fn start(name: &'static str, public: String, options: sim::Options) -> Self {
        let nodes = ["pve1", "pve2"].map(str::to_owned).into();
        let sim = sim::start(sim::Options { nodes, ssh_keys: vec![public], ..options }).await.unwrap();
        Self { name, secret: sim.token("root@pam", "gantry"), sim }
    }

    pub(crate) fn secret(&self) -> &str {
        &self.secret
    }

    /// With the private key that its nodes let in.
    pub(crate) fn host(&self, key: &Path, per_node: u16) -> Value {
        let nodes = self.sim.nodes();
        let pins: Map<String, Value> =
            nodes.iter().map(|node| (node.api.to_string(), json!(node.fingerprint))).collect();
        let ssh: Map<String, Value> = nodes
            .iter()
            .map(|node| {
                let host_key = format!("ssh-ed25519 {}", node.ssh_fingerprint);
                (node.name.clone(), json!({ "address": node.ssh.to_string(), "host_key": host_key }))
            })
            .collect();
        json!({
            "name": self.name,
            "addresses": nodes.iter().map(|node| node.api.to_string()).collect::<Vec<_>>(),
            "token": { "id": "root@pam!gantry", "secret": self.secret },
            "fingerprint": nodes[0].fingerprint,
            "pins": pins,
            "ssh": { "private_key": std::fs::read_to_string(key).unwrap(), "nodes": ssh },
            "limits": { "per_host": 1000, "per_node": per_node, "per_storage": 1000 },
        })
    }
}
