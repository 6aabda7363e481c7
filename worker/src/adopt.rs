//! Reads a guest that somebody made on Proxmox, as if it had been asked for here.

use domain::HostId;
use domain::adopt::Imported;
use domain::container::{ContainerSpec, Scripts, Source, Where, marker};
use domain::copy::NotSeen;
use domain::vmid::Vmid;
use proxmox::{LxcConfig, Thing};

use crate::card;
use crate::copies::{not_seen, storage_of, unseen};
use crate::drift::why;
use crate::found::bearer;
use crate::tools::Tools;

/// # Errors
/// When the host is away or refuses, or there is no container of that number.
pub async fn imported(tools: &Tools, id: HostId, vmid: Vmid) -> Result<Imported, NotSeen> {
    let host = tools.hosts.get(id).await.map_err(unseen)?;
    let guests = host.client.resources(Some("vm")).await.map_err(not_seen)?;
    let found = guests.into_iter().find(|guest| guest.vmid == Some(vmid.get().into()));
    let found = found.filter(|guest| guest.kind == "lxc").ok_or(NotSeen::Gone)?;
    let node = found.node.ok_or(NotSeen::Gone)?;
    let guest = host.client.lxc(&node, vmid.get());
    let config = match guest.config().await {
        Ok(config) => config,
        Err(error) if error.is_missing(Thing::Guest) => return Err(NotSeen::Gone),
        Err(error) => return Err(not_seen(error)),
    };
    if let Some(lock) = config.lock() {
        return Err(NotSeen::Failed(format!("Proxmox has it locked: {lock}")));
    }
    let status = guest.status().await.map_err(not_seen)?;
    let owner = match bearer(&config) {
        Some(container) => {
            why(tools, &host, vmid.get(), container).await.map_err(unseen)?.is_none().then_some(container)
        }
        None => None,
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of cores")]
    let all_cores = status.cpus.max(0.0) as u32;
    let spec = spec(&config, all_cores, Where::Node { host: id, node: node.clone() }, vmid);
    Ok(Imported { node, spec, owner })
}

fn spec(config: &LxcConfig, all_cores: u32, place: Where, vmid: Vmid) -> ContainerSpec {
    let text = |name: &str| config.get(name).unwrap_or_default();
    let number = |name: &str, otherwise: u32| config.get(name).and_then(|text| text.parse().ok()).unwrap_or(otherwise);
    let tags = marker::own_tags(text("tags"));
    let own = marker::without(text("description"));
    ContainerSpec {
        hostname: text("hostname").to_owned(),
        // What it was made from Proxmox does not keep; what runs in it, it does.
        source: Source::Image(Some(text("ostype")).filter(|os| !os.is_empty()).unwrap_or("unmanaged").to_owned()),
        cores: number("cores", all_cores),
        memory_mb: number("memory", 512),
        swap_mb: number("swap", 512),
        disk_gb: card::disk_gb(config).unwrap_or_default(),
        storage: config.get("rootfs").map(|volume| storage_of(volume).to_owned()),
        network: card::network(config),
        ssh_keys: vec![],
        unprivileged: text("unprivileged") == "1",
        features: card::features(config),
        tags: tags.map(str::to_owned).collect(),
        description: (!own.is_empty()).then_some(own),
        start_on_boot: text("onboot") == "1",
        packages: vec![],
        scripts: Scripts::None,
        place,
        spread_by: None,
        vmid: Some(vmid.get()),
    }
}
