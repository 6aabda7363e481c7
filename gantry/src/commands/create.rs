use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::{following, plan};
use crate::{
    client::Api,
    exit::{Exit, Failure, Outcome, While as _},
    output::{self, Output},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    api: Api,
    /// The host name of the new container.
    hostname: String,
    /// How it is equipped; `gantry template list` shows what there is.
    #[arg(long, short, conflicts_with = "image", required_unless_present = "image")]
    template: Option<String>,
    /// A bare OS image in place of a template, as Proxmox names it.
    #[arg(long)]
    image: Option<String>,
    /// How many of the CPU; the template says otherwise.
    #[arg(long)]
    cores: Option<u32>,
    /// In MB.
    #[arg(long, value_name = "MB")]
    memory: Option<u32>,
    /// In MB.
    #[arg(long, value_name = "MB")]
    swap: Option<u32>,
    /// In GB.
    #[arg(long, value_name = "GB")]
    disk: Option<u32>,
    /// Where the root disk goes.
    #[arg(long)]
    storage: Option<String>,
    /// The bridge of its network interface, like vmbr0.
    #[arg(long)]
    bridge: Option<String>,
    #[arg(long)]
    vlan: Option<u32>,
    /// `dhcp`, `none`, or an address with its prefix like 192.0.2.10/24.
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<String>,
    #[arg(long, value_name = "ADDRESS")]
    gateway: Option<String>,
    /// `dhcp`, `auto`, `none`, or an address with its prefix.
    #[arg(long, value_name = "ADDRESS")]
    ip6: Option<String>,
    #[arg(long, value_name = "ADDRESS")]
    gateway6: Option<String>,
    /// A public key that may log in as root (as in ~/.ssh/id_ed25519.pub); may be repeated.
    #[arg(long, value_name = "FILE")]
    ssh_key: Vec<PathBuf>,
    /// Take the root password from GANTRY_ROOT_PASSWORD or standard input; otherwise one is made and shown.
    #[arg(long)]
    root_password: bool,
    /// An answer to a question of the template; may be repeated.
    #[arg(long, value_name = "NAME=VALUE")]
    input: Vec<String>,
    /// A tag in Proxmox; may be repeated.
    #[arg(long, value_name = "NAME")]
    tag: Vec<String>,
    /// A package on top of the template's; may be repeated.
    #[arg(long, value_name = "NAME")]
    package: Vec<String>,
    /// Place it on this host, by name or id.
    #[arg(long)]
    host: Option<String>,
    /// Place it on this node of the host.
    #[arg(long)]
    node: Option<String>,
    /// Its number in Proxmox; a free one is chosen otherwise.
    #[arg(long)]
    vmid: Option<u32>,
    /// Start it when its node starts.
    #[arg(long)]
    start_on_boot: bool,
    /// Keep containers with this tag on different nodes as long as there are enough.
    #[arg(long, value_name = "TAG")]
    spread_by: Option<String>,
    /// Only show what would happen: where it would go and why, what would be asked of Proxmox, what stands in the way.
    #[arg(long)]
    dry_run: bool,
    /// Leave what was built when it fails, to look at.
    #[arg(long)]
    keep_on_failure: bool,
    /// Do not follow it: answer as soon as it is accepted.
    #[arg(long, short)]
    detach: bool,
}

pub(crate) async fn run(args: Args, out: Output) -> Outcome {
    let (client, detach) = (args.api.client()?, args.detach);
    let title = args.hostname.clone();
    if args.dry_run {
        let plan = client.post("/v1/containers?dry_run=true", &wish(args)?).await?;
        return plan::show(&plan, &title, out);
    }
    let answer = client.post("/v1/containers", &wish(args)?).await?;
    if let Some(password) = answer["root_password"].as_str() {
        out.say(format!("The root password of {title} is  {password}  (it is not shown again)"));
    }
    following::accepted(&client, &answer, &title, detach, out).await
}

fn wish(args: Args) -> Outcome<Value> {
    let mut wish = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() && value != json!([]) && value != json!({}) && value != json!(false) {
            wish.insert(name.to_owned(), value);
        }
    };
    put("hostname", json!(args.hostname));
    put("template", json!(args.template));
    put("image", json!(args.image));
    put("cores", json!(args.cores));
    put("memory_mb", json!(args.memory));
    put("swap_mb", json!(args.swap));
    put("disk_gb", json!(args.disk));
    put("storage", json!(args.storage));
    put("tags", json!(args.tag));
    put("packages", json!(args.package));
    put("host", json!(args.host));
    put("node", json!(args.node));
    put("spread_by", json!(args.spread_by));
    put("vmid", json!(args.vmid));
    put("start_on_boot", json!(args.start_on_boot));
    put("keep_on_failure", json!(args.keep_on_failure));
    let keys = args
        .ssh_key
        .iter()
        .map(|file| Ok(std::fs::read_to_string(file).during(format!("reading {}", file.display()))?.trim().to_owned()))
        .collect::<Outcome<Vec<_>>>()?;
    put("ssh_keys", json!(keys));
    let inputs = args.input.iter().map(|text| input(text)).collect::<Outcome<Map<_, _>>>()?;
    put("inputs", Value::Object(inputs));
    if args.root_password {
        let password = output::secret_input("GANTRY_ROOT_PASSWORD", "the root password")?;
        put("root_password", json!(password.expose()));
    }
    let mut network = Map::new();
    for (name, value) in [("bridge", json!(args.bridge)), ("vlan", json!(args.vlan))] {
        if !value.is_null() {
            network.insert(name.to_owned(), value);
        }
    }
    for (name, address, gateway) in [("ipv4", args.ip, args.gateway), ("ipv6", args.ip6, args.gateway6)] {
        if let Some(address) = address {
            network.insert(name.to_owned(), network_address(&address, gateway.as_deref()));
        }
    }
    put("network", Value::Object(network));
    Ok(Value::Object(wish))
}

fn network_address(address: &str, gateway: Option<&str>) -> Value {
    match address {
        "dhcp" | "auto" | "none" => json!({ "mode": address }),
        _ => match gateway {
            Some(gateway) => json!({ "mode": "static", "address": address, "gateway": gateway }),
            None => json!({ "mode": "static", "address": address }),
        },
    }
}

pub(super) fn input(text: &str) -> Outcome<(String, Value)> {
    let (name, value) = text.split_once('=').ok_or_else(|| {
        Failure::new(Exit::Usage, format!("--input {text} has no `=`")).next("write --input NAME=VALUE")
    })?;
    Ok((name.to_owned(), json!(value)))
}
