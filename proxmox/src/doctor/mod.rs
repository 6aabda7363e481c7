//! Whether a host lets us do what the product does, and the command that mends what is missing. Nothing is changed.

mod needs;

use std::collections::BTreeMap;

use crate::access::Permissions;
use crate::client::Client;
use crate::endpoint::Auth;
use crate::error::Result;
use crate::shell::{Command, Shell};
use crate::storage::Storage;
use needs::{CONTENT, NEEDS, OLDEST, SKEW_SECONDS};

/// One line of the doctor's report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub capability: String,
    /// How it was looked at, and what was seen.
    pub seen: String,
    pub verdict: Verdict,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Good,
    /// With what mends it, to be run on the host.
    Missing {
        mend: String,
    },
    /// It works, except for something that is only root's.
    Limited {
        mend: String,
    },
}

fn finding(capability: impl Into<String>, seen: impl Into<String>, verdict: Verdict) -> Finding {
    Finding { capability: capability.into(), seen: seen.into(), verdict }
}

fn missing(mend: impl Into<String>) -> Verdict {
    Verdict::Missing { mend: mend.into() }
}

/// The way to a node by SSH, or why there is none.
pub type Way = std::result::Result<Shell, String>;

/// Looks at everything. `now` is our clock, in seconds since 1970; `shells` the way to each node, none when SSH is not
/// set up.
pub async fn examine(client: &Client, shells: &BTreeMap<String, Way>, now: u64) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let version = client.version().await?;
    let verdict = if version.number().is_some_and(|number| number >= OLDEST) {
        Verdict::Good
    } else {
        missing("upgrade to Proxmox VE 8.0 or newer: https://pve.proxmox.com/wiki/Upgrade_from_7_to_8")
    };
    findings.push(finding("version", format!("Proxmox VE {}", version.version), verdict));
    privileges(client.auth(), &client.permissions().await?, &mut findings);
    root_only(client.auth(), &mut findings);
    for node in client.nodes().await?.iter().filter(|node| node.status == "online") {
        let name = &node.node;
        match client.storages(name, None).await {
            Ok(storages) => contents(name, &storages, &mut findings),
            Err(error) => findings.push(finding(
                format!("storages of {name}"),
                error.to_string(),
                missing(format!("systemctl status pveproxy pvedaemon # on {name}")),
            )),
        }
        match client.node_time(name).await {
            Ok(time) => {
                let skew = time.time.abs_diff(now);
                let good = skew <= SKEW_SECONDS;
                let verdict =
                    if good { Verdict::Good } else { missing(format!("systemctl enable --now chrony # on {name}")) };
                findings.push(finding(format!("clock of {name}"), format!("{skew} s from ours"), verdict));
            }
            Err(error) => findings.push(finding(
                format!("clock of {name}"),
                error.to_string(),
                grant(client.auth(), "/", &["Sys.Audit"]),
            )),
        }
    }
    if shells.is_empty() {
        let mend = missing("register an SSH user and key with the host: without, no script can run in a guest");
        findings.push(finding("SSH", "not set up", mend));
    }
    for (node, way) in shells {
        ssh(node, way, &mut findings).await;
    }
    Ok(findings)
}

fn privileges(auth: &Auth, allowed: &Permissions, findings: &mut Vec<Finding>) {
    for need in NEEDS {
        let lacking: Vec<_> = need.privileges.iter().copied().filter(|each| !allowed.allow(need.path, each)).collect();
        let (seen, verdict) = if lacking.is_empty() {
            (format!("{} on {}", need.privileges.join(", "), need.path), Verdict::Good)
        } else {
            (format!("without {} on {}", lacking.join(", "), need.path), grant(auth, need.path, need.privileges))
        };
        findings.push(finding(need.capability, seen, verdict));
    }
}

/// A role of our own with exactly what is needed, given to who we are.
fn grant(auth: &Auth, path: &str, privileges: &[&str]) -> Verdict {
    let role = format!("Gantry{}", path.split('/').map(capitalised).collect::<String>());
    let who = match auth {
        Auth::Token { id, .. } => format!("--tokens '{id}'"),
        Auth::Password { user, .. } => format!("--users '{user}'"),
    };
    let privileges = privileges.join(" ");
    let mut mend = format!(
        "pveum role add {role} --privs '{privileges}' 2>/dev/null || pveum role modify {role} --privs '{privileges}' --append 1; pveum acl modify {path} --roles {role} {who}"
    );
    // What its user may not do, a token may not either.
    if let Auth::Token { .. } = auth
        && auth.user() != "root@pam"
    {
        mend.push_str(&format!("; pveum acl modify {path} --roles {role} --users '{}'", auth.user()));
    }
    Verdict::Missing { mend }
}

fn capitalised(segment: &str) -> String {
    let mut letters = segment.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn root_only(auth: &Auth, findings: &mut Vec<Finding>) {
    let verdict = if auth.is_root() {
        Verdict::Good
    } else {
        let mend = "register the host with root@pam and its password (a token of root@pam is not root@pam), or run `pct set <vmid> --features nesting=1,keyctl=1` on the host";
        Verdict::Limited { mend: mend.into() }
    };
    let who = match auth {
        Auth::Token { id, .. } => format!("the token {id}"),
        Auth::Password { user, .. } => format!("a ticket of {user}"),
    };
    findings.push(finding("features other than nesting (keyctl, fuse, …), bind mounts", who, verdict));
}

fn contents(node: &str, storages: &[Storage], findings: &mut Vec<Finding>) {
    for (content, purpose) in CONTENT {
        let ready: Vec<_> =
            storages.iter().filter(|s| s.holds(content) && s.active && s.enabled).map(|s| s.storage.as_str()).collect();
        let verdict = match (ready.is_empty(), storages.iter().find(|s| s.holds(content)), storages.first()) {
            (false, ..) => Verdict::Good,
            (true, Some(off), _) => {
                missing(format!("pvesm set {} --disable 0 && pvesm status # on {node}", off.storage))
            }
            (true, None, Some(any)) => {
                missing(format!("pvesm set {} --content {},{content}", any.storage, any.content))
            }
            (true, None, None) => missing(format!(
                "pvesm add dir local --path /var/lib/vz --content {content} # or let us see it: Datastore.Audit on /storage"
            )),
        };
        let seen = if ready.is_empty() { format!("no active storage takes {content}") } else { ready.join(", ") };
        findings.push(finding(format!("{purpose} on {node}"), seen, verdict));
    }
}

async fn ssh(node: &str, way: &Way, findings: &mut Vec<Finding>) {
    let on_it = |what: &str| format!("{what} of {node}");
    let shell = match way {
        Ok(shell) => shell,
        Err(why) => {
            let mend = missing("gantry host pin <host>: shows the SSH keys of its nodes, and trusts them");
            findings.push(finding(on_it("SSH"), why.clone(), mend));
            return;
        }
    };
    // A node of Proxmox is called what its system is called: another name is another machine.
    match shell.output(Command::new("hostname")).await {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stdout);
            let name = said.trim().split('.').next().unwrap_or_default();
            let (seen, verdict) = if name == node {
                (format!("logged in on {}", shell.host()), Verdict::Good)
            } else {
                let mend = format!("gantry host pin <host> --ssh-node {node}=<its address>:<port>");
                (format!("{} is {name}, not {node}", shell.host()), missing(mend))
            };
            findings.push(finding(on_it("SSH"), seen, verdict));
        }
        Err(error) => {
            let mend = format!("ssh-copy-id -i <key>.pub root@{node}, and allow it in /etc/ssh/sshd_config");
            findings.push(finding(on_it("SSH"), error.to_string(), missing(mend)));
            return;
        }
    }
    let (seen, verdict) = match shell.output(Command::new("pct").arg("list")).await {
        Ok(output) if output.code == 0 => ("`pct list` answers".to_owned(), Verdict::Good),
        Ok(_) => (
            "`pct list` fails".to_owned(),
            missing("apt-get install --reinstall pve-container, and log in as root: pct needs it"),
        ),
        Err(error) => (error.to_string(), missing("gantry doctor <host>: the connection was lost, look again")),
    };
    findings.push(finding(on_it("pct"), seen, verdict));
}
