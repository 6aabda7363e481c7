//! A simulated cluster with a client for it.

use std::time::Duration;

use proxmox::shell::{self, Command, Guest, Output, Secret, Shell, ShellConfig, learn_host_key};
use proxmox::{
    Address, Auth, Client, Endpoint, Error, Fingerprint, Finished, Limits, LxcCreate, Result, Upid, Waiting,
    learn_fingerprint,
};
use sim::{Options, Sim};
use tokio_util::sync::CancellationToken;

pub(crate) const NODE: &str = "pve1";
pub(crate) const PASSWORD: &str = "gantry-sim";

pub(crate) struct Pve {
    pub(crate) sim: Sim,
    pub(crate) client: Client,
}

/// Without any command being run.
pub(crate) fn dry() -> Options {
    Options { dry_shell: true, ..Options::default() }
}

pub(crate) fn within(limit: Duration) -> Waiting {
    Waiting { limit, cancel: CancellationToken::new() }
}

pub(crate) fn root() -> Auth {
    Auth::Password { user: "root@pam".into(), password: Secret::new(PASSWORD) }
}

impl Pve {
    pub(crate) async fn new(options: Options) -> Self {
        let _already = rustls::crypto::ring::default_provider().install_default();
        let sim = sim::start(options).await.unwrap();
        let client = Client::new(endpoint(&sim, root()).await).unwrap();
        Self { sim, client }
    }

    /// The same host as somebody else, with no connection, ticket or history in common.
    pub(crate) async fn as_other(&self, auth: Auth) -> Client {
        Client::new(endpoint(&self.sim, auth).await).unwrap()
    }

    /// Root's client for one address, whose certificate is `fingerprint`.
    pub(crate) fn client_with(&self, address: &Address, fingerprint: Fingerprint) -> Client {
        let addresses = vec![Address { fingerprint, ..address.clone() }];
        Client::new(Endpoint { name: "lab".into(), addresses, auth: root(), limits: Limits::default() }).unwrap()
    }

    pub(crate) async fn shell(&self) -> Shell {
        let at = self.sim.ssh_address();
        let address = at.ip().to_string();
        let key = learn_host_key(&address, at.port()).await.unwrap();
        let mut config = ShellConfig::new(address, "root", shell::Auth::Password(Secret::new(PASSWORD)), key);
        config.port = at.port();
        Shell::new(config).unwrap()
    }

    pub(crate) async fn ended(&self, task: Result<Upid>) -> Result<Finished> {
        self.client.wait_silently(&task?, &within(Duration::from_secs(60))).await
    }

    pub(crate) async fn done(&self, task: Result<Upid>) {
        assert_eq!(self.ended(task).await, Ok(Finished::Done { warnings: Vec::new() }));
    }

    pub(crate) async fn failed(&self, task: Result<Upid>) -> Error {
        self.ended(task).await.expect_err("the task should have failed")
    }

    pub(crate) async fn container(&self, vmid: u32) {
        self.done(self.client.create_lxc(NODE, &debian(vmid)).await).await;
    }
}

pub(crate) async fn endpoint(sim: &Sim, auth: Auth) -> Endpoint {
    let mut addresses = Vec::new();
    for node in sim.nodes() {
        let host = node.api.ip().to_string();
        let shown = learn_fingerprint(&host, node.api.port()).await.unwrap();
        assert_eq!(shown.fingerprint, node.fingerprint.parse().unwrap());
        addresses.push(Address { host, port: node.api.port(), fingerprint: shown.fingerprint });
    }
    Endpoint { name: "lab".into(), addresses, auth, limits: Limits::default() }
}

pub(crate) fn debian(vmid: u32) -> LxcCreate {
    LxcCreate {
        vmid,
        template: "local:vztmpl/debian-12-standard_12.7-1_amd64.tar.zst".into(),
        rootfs: "local-btrfs:4".into(),
        hostname: Some(format!("ct{vmid}")),
        memory: Some(512),
        networks: vec!["name=eth0,bridge=vmbr0,ip=192.168.7.9/24,gw=192.168.7.1".into()],
        unprivileged: true,
        ..LxcCreate::default()
    }
}

/// What a line for the guest's shell prints; it must succeed.
pub(crate) async fn said(guest: &Guest, line: &str) -> String {
    let output = run(guest, line).await;
    assert_eq!(output.code, 0, "{line}: {}", output.said());
    output.text().to_owned()
}

pub(crate) async fn run(guest: &Guest, line: &str) -> Output {
    guest.output(sh(line)).await.unwrap()
}

pub(crate) fn sh(line: &str) -> Command {
    Command::new("sh").arg("-c").arg(line)
}
