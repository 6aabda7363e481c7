//! What listens in the guest, as the guest itself sees it.

use futures_util::future::BoxFuture;
use proxmox::shell::Command;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::context::Context;
use crate::guest::guest_failure;
use crate::step::{Done, Step, StepError};

/// One socket a line as `proto address:port process`; from `ss`, or without it from the kernel's own tables.
const LISTENING: &str = r#"
if command -v ss >/dev/null 2>&1; then
    ss -Hlntup 2>/dev/null | awk '{ name = "-"; if (match($0, /users:\(\("[^"]+"/)) name = substr($0, RSTART + 9, RLENGTH - 10); print $1, $5, name }'
elif command -v netstat >/dev/null 2>&1; then
    netstat -lntup 2>/dev/null | awk '/^(tcp|udp)/ { split($NF, p, "/"); print $1, $4, (p[2] ? p[2] : "-") }'
fi
"#;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Listening {
    pub port: u16,
    pub protocol: String,
    pub process: Option<String>,
    /// Only the guest itself can reach it.
    pub local: bool,
}

pub(super) struct DiscoverServices;

impl Step for DiscoverServices {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let guest = context.guest().await?;
            let output = guest.output(Command::new("sh").args(["-c", LISTENING])).await.map_err(guest_failure)?;
            Done::with(&listening(&output.text()))
        })
    }
}

fn listening(text: &str) -> Vec<Listening> {
    let mut found: Vec<Listening> = text.lines().filter_map(line).collect();
    found.sort();
    // Both families, and one socket per address: the same service.
    found.dedup_by(|b, a| a.port == b.port && a.protocol == b.protocol);
    found
}

fn line(text: &str) -> Option<Listening> {
    let mut words = text.split_whitespace();
    let (protocol, address, process) = (words.next()?, words.next()?, words.next()?);
    let (ip, port) = address.rsplit_once(':')?;
    let ip = ip.trim_matches(['[', ']']).split('%').next().unwrap_or_default();
    Some(Listening {
        port: port.parse().ok()?,
        protocol: protocol.trim_end_matches('6').to_owned(),
        process: Some(process).filter(|name| *name != "-").map(str::to_owned),
        local: ip == "::1" || ip.starts_with("127."),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_families_of_one_service_are_one() {
        let text = "tcp 0.0.0.0:80 nginx\ntcp [::]:80 nginx\nudp 127.0.0.53%lo:53 systemd-resolve\ntcp *:22 -\nnoise\n";
        let found: Vec<_> = listening(text).into_iter().map(|l| (l.port, l.protocol, l.process, l.local)).collect();
        assert_eq!(
            found,
            [
                (22, "tcp".into(), None, false),
                (53, "udp".into(), Some("systemd-resolve".into()), true),
                (80, "tcp".into(), Some("nginx".into()), false),
            ]
        );
    }
}
