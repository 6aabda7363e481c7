use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

/// What a simulated cluster is made of. The default is one node that answers at once, on ports of the system's choice.
#[derive(Clone, Debug)]
pub struct Options {
    /// One HTTPS and one SSH server each.
    pub nodes: Vec<String>,
    pub address: IpAddr,
    /// The first node's port; the others follow it. 0 lets the system choose.
    pub port: u16,
    pub ssh_port: u16,
    /// Where everything is kept; without it everything is gone after `stop`.
    pub data_dir: Option<PathBuf>,
    /// How long tasks take, as a factor on what they take for real. 0 is at once.
    pub speed: f64,
    /// How long tasks of one type (`vzcreate`) take, in place of `speed`.
    pub durations: BTreeMap<String, Duration>,
    /// By how much a task's time differs from one to the next, as a share of it.
    pub jitter: f64,
    /// How old what `/cluster/resources` answers may be, as pvestatd makes it.
    pub stat_interval: Duration,
    /// How long a container's DHCP address takes to arrive after its start.
    pub dhcp_delay: Duration,
    /// How long a failed login waits.
    pub auth_delay: Duration,
    /// How long a caller waits for a guest's lock file.
    pub lock_timeout: Duration,
    /// How long the pause of calls that take their time (a dead guest agent, a task that is killed) is, as a factor.
    pub pauses: f64,
    pub ticket_lifetime: Duration,
    pub seed: u64,
    /// Users to make beside `root@pam`, with their password.
    pub users: BTreeMap<String, String>,
    pub root_password: String,
    /// Public keys that may log in to the nodes by SSH as root.
    pub ssh_keys: Vec<String>,
    /// Nodes can freeze containers to their disks; most real ones can't.
    pub criu: bool,
    /// Commands are echoed, never run.
    pub dry_shell: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            nodes: vec!["pve1".to_owned()],
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            ssh_port: 0,
            data_dir: None,
            speed: 0.0,
            durations: BTreeMap::new(),
            jitter: 0.0,
            stat_interval: Duration::ZERO,
            dhcp_delay: Duration::ZERO,
            auth_delay: Duration::ZERO,
            lock_timeout: Duration::from_secs(10),
            pauses: 0.0,
            ticket_lifetime: Duration::from_hours(2),
            seed: 1,
            users: BTreeMap::new(),
            root_password: "gantry-sim".to_owned(),
            ssh_keys: Vec::new(),
            criu: false,
            dry_shell: false,
        }
    }
}

impl Options {
    /// With the real one's waits: tasks take their time, failed logins 3 s, lists lag by 10 s.
    #[must_use]
    pub fn realistic() -> Self {
        Self {
            speed: 1.0,
            jitter: 0.1,
            stat_interval: Duration::from_secs(10),
            dhcp_delay: Duration::from_secs(3),
            auth_delay: Duration::from_secs(3),
            pauses: 1.0,
            ..Self::default()
        }
    }
}
