//! `gantry sim`: a Proxmox VE host to develop against.

use std::{net::SocketAddr, path::PathBuf};

use serde_json::json;
use sim::{Options, Sim};

use crate::{
    exit::{Exit, Failure, Outcome, While as _},
    output::{Colour, Output},
    signals,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many nodes the simulated cluster has: pve1, pve2, …
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=32))]
    nodes: u16,
    /// Where the first node's HTTPS listens; the others take the ports after it. Port 0: free ones.
    #[arg(long, default_value = "127.0.0.1:8006", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// The first node's SSH port; the others take the ports after it. 0: free ones.
    #[arg(long, default_value_t = 2222, value_name = "PORT")]
    ssh: u16,
    /// A public key (as in ~/.ssh/id_ed25519.pub) that may log in to the nodes by SSH as root; may be repeated.
    #[arg(long, value_name = "FILE")]
    ssh_key: Vec<PathBuf>,
    /// Keep everything here; without it everything is gone when the simulator ends.
    #[arg(long, value_name = "DIRECTORY")]
    data_dir: Option<PathBuf>,
    /// Echo each command as not run, where this machine can't keep them apart from itself.
    #[arg(long)]
    dry_shell: bool,
    /// Tasks end at once, in place of taking as long as they do for real.
    #[arg(long)]
    fast: bool,
}

pub(crate) async fn run(args: Args, out: Output) -> Outcome {
    let ssh_keys = args
        .ssh_key
        .iter()
        .map(|file| Ok(std::fs::read_to_string(file).during(format!("reading {}", file.display()))?.trim().to_owned()))
        .collect::<Outcome<Vec<_>>>()?;
    let pace = if args.fast { Options::default() } else { Options::realistic() };
    let options = Options {
        nodes: (1..=args.nodes).map(|n| format!("pve{n}")).collect(),
        address: args.listen.ip(),
        port: args.listen.port(),
        ssh_port: args.ssh,
        data_dir: args.data_dir,
        ssh_keys,
        dry_shell: args.dry_shell,
        ..pace
    };
    let password = options.root_password.clone();
    let sim = sim::start(options).await.map_err(refused)?;
    let secret = sim.token("root@pam", "gantry");
    let asked_to_end = signals::asked_to_end();
    tell(&sim, &secret, &password, args.dry_shell, out);
    asked_to_end.await;
    out.say("\nEnding the simulated guests …");
    sim.stop().await;
    Ok(Exit::Done)
}

fn refused(error: sim::SimError) -> Failure {
    let failure = Failure::from(anyhow::Error::new(error).context("the simulator does not start"));
    failure.next("`gantry sim --help` lists the choices; --dry-shell needs nothing of the kernel, and runs no script")
}

fn tell(sim: &Sim, secret: &str, password: &str, dry: bool, out: Output) {
    let nodes: Vec<_> = sim
        .nodes()
        .iter()
        .map(|n| json!({ "name": n.name, "api": format!("https://{}", n.api), "fingerprint": n.fingerprint, "ssh": n.ssh, "ssh_fingerprint": n.ssh_fingerprint }))
        .collect();
    let told = json!({ "nodes": nodes, "token": { "id": "root@pam!gantry", "secret": secret }, "password": password, "dry_shell": dry });
    out.answer(&told, || {
        let mut table = out.table(["node", "api", "ssh"]);
        for node in sim.nodes() {
            table.row([
                (node.name.clone(), Some(Colour::Strong)),
                (format!("https://{}", node.api), None),
                (format!("{} ({})", node.ssh, node.ssh_fingerprint), None),
            ]);
        }
        let dry = if dry { "\nCommands in guests are echoed as not run (--dry-shell).\n" } else { "" };
        let register = register(sim, secret);
        format!(
            "{}\n\n  certificate  {}\n  login        root@pam, password {password}\n  token        root@pam!gantry={secret}\n{dry}\nTo register it with a Gantry that runs (`gantry serve`):\n\n{register}\n\nIt simulates Proxmox VE until you press Ctrl-C.",
            table.or_else(""),
            sim.fingerprint(),
        )
    });
}

/// What to type to work with it.
fn register(sim: &Sim, secret: &str) -> String {
    let apis: Vec<String> = sim.nodes().iter().map(|node| node.api.to_string()).collect();
    let mut ssh = String::new();
    for node in sim.nodes() {
        ssh += &format!(" \\\n    --ssh-node {}={}", node.name, node.ssh);
    }
    format!(
        "  GANTRY_HOST_SECRET={secret} gantry host add sim {} \\\n    --token 'root@pam!gantry' --trust --ssh-key <private key of the --ssh-key given here>{ssh}",
        apis.join(" "),
    )
}
