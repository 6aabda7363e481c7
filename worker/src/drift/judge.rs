//! One container's guest against its record.

use domain::ContainerId;
use domain::container::{Container, Power, marker};
use domain::drift::{Actual, Difference, differences};
use proxmox::{Resource, Thing};

use crate::card;
use crate::failure::proxmox_failure;
use crate::found::{self, bearer};
use crate::hosts::Host;
use crate::step::StepError;
use crate::tools::Tools;

pub(crate) enum Judged {
    /// All that differs; nothing when nothing does.
    So(Vec<Difference>),
    /// Somebody is at work on it.
    NotNow,
}

pub(crate) async fn judge(tools: &Tools, id: ContainerId, container: &Container) -> Result<Judged, StepError> {
    let Some(guest) = container.guest() else { return Ok(Judged::NotNow) };
    let host = tools.hosts.get(guest.host).await?;
    let vmid = guest.vmid.get();
    let found = match look(&host, &guest.node, vmid, id).await? {
        Look::Gone => {
            let guests = host.client.resources(Some("vm")).await.map_err(proxmox_failure)?;
            let there = |row: &&Resource| row.vmid == Some(vmid.into()) && row.kind == "lxc";
            let elsewhere = guests.iter().find(there).and_then(|row| row.node.clone());
            match elsewhere.filter(|node| *node != guest.node) {
                // Only its marker tells that it is the same.
                Some(node) => match look(&host, &node, vmid, id).await? {
                    Look::There(actual) if !actual.marked => Look::Gone,
                    other => other,
                },
                None => Look::Gone,
            }
        }
        found => found,
    };
    Ok(match found {
        Look::There(actual) => Judged::So(differences(container, Some(&actual))),
        Look::Gone => Judged::So(differences(container, None)),
        Look::Locked => Judged::NotNow,
    })
}

enum Look {
    There(Box<Actual>),
    /// There is none, or another's.
    Gone,
    /// By Proxmox: a backup, a migration, a restore.
    Locked,
}

async fn look(host: &Host, node: &str, vmid: u32, id: ContainerId) -> Result<Look, StepError> {
    let guest = host.client.lxc(node, vmid);
    let Some(config) = found::config(host, node, vmid).await? else { return Ok(Look::Gone) };
    let status = match guest.status().await {
        Ok(status) => status,
        Err(error) if error.is_missing(Thing::Guest) => return Ok(Look::Gone),
        Err(error) => return Err(proxmox_failure(error)),
    };
    if config.lock().is_some() || status.lock.is_some() {
        return Ok(Look::Locked);
    }
    let marked = match bearer(&config) {
        Some(other) if other != id => return Ok(Look::Gone),
        marked => marked.is_some(),
    };
    let number = |name: &str, otherwise: u32| config.get(name).and_then(|text| text.parse().ok()).unwrap_or(otherwise);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of cores")]
    let all_cores = status.cpus.max(0.0) as u32;
    Ok(Look::There(Box::new(Actual {
        node: node.to_owned(),
        hostname: config.get("hostname").unwrap_or_default().to_owned(),
        // Without a limit it has all of its node's.
        cores: number("cores", all_cores),
        memory_mb: number("memory", 512),
        swap_mb: number("swap", 512),
        disk_gb: card::disk_gb(&config).unwrap_or_default(),
        network: card::network(&config),
        features: card::features(&config),
        tags: marker::tags(config.get("tags").unwrap_or_default()).map(str::to_owned).collect(),
        start_on_boot: config.get("onboot") == Some("1"),
        power: match status.status.as_str() {
            "running" => Power::Running,
            "stopped" => Power::Stopped,
            _ => Power::Unknown,
        },
        marked,
    })))
}
