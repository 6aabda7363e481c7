//! What would happen, as far as it can be known now: the same choices as the steps make, and nothing is done.

mod changes;

use std::sync::Arc;

use domain::container::{ContainerSpec, Guest};
use domain::operation::{Failure, FailureKind};
use domain::preview::{Call, Preview, Wish};
use domain::template::{FileChange, Part, Take, Template, difference};
use domain::vmid::{Vmid, VmidOfHost};
use platform::views::{self, VmidRow};
use proxmox::Thing;

use crate::failure::proxmox_failure;
use crate::hosts::Host;
use crate::place::{self, Judged};
use crate::step::StepError;
use crate::steps::{Available, compare, guest_tags, network_of, running};
use crate::tools::Tools;

/// A host that does not answer is a conflict of the plan and no error.
///
/// # Errors
/// When our own records can't be read.
pub async fn preview(tools: &Tools, wish: Wish) -> Result<Preview, StepError> {
    let mut preview = Preview::default();
    let looked = match &wish {
        Wish::Create { spec, image } => create(tools, spec, image, &mut preview).await,
        Wish::Resize { guest, change } => changes::resize(tools, guest, change, &mut preview).await,
        Wish::Rebuild { guest, spec, image, backup_first } => {
            changes::rebuild(tools, guest, spec, (image, *backup_first), &mut preview).await
        }
        Wish::Delete { guest: Some(guest), purge, keep_unreferenced, .. } => {
            delete(tools, guest, (*purge, *keep_unreferenced), &mut preview).await
        }
        Wish::Update { guest, from, to, take } => update(tools, guest, from, to, take, &mut preview).await,
        Wish::Delete { guest: None, .. } => {
            preview.notes.push("it has no guest on Proxmox: only its record is closed".to_owned());
            Ok(())
        }
    };
    match looked {
        Err(StepError::Failed { kind, failure }) if kind != FailureKind::Temporary || failure.slug != "internal" => {
            preview.conflict(
                "host",
                format!("{}: {}", failure.title, failure.detail),
                "see to the host, or choose another",
            );
            Ok(preview)
        }
        Err(error) => Err(error),
        Ok(()) => Ok(preview),
    }
}

/// What becomes of each file, and of the rest that the two versions have apart.
async fn update(
    tools: &Tools,
    guest: &Guest,
    from: &Template,
    to: &Template,
    take: &Take,
    preview: &mut Preview,
) -> Result<(), StepError> {
    let host = tools.hosts.get(guest.host).await?;
    running(&host, guest).await?;
    let inside = host.shell(&guest.node).await?.guest(guest.vmid.get());
    for file in compare(&inside, from, to, take).await? {
        if file.what == FileChange::Conflict {
            let fix = "say which one stays: theirs, the template's, or ours, the container's";
            preview.conflict(&file.path, file.because.unwrap_or_default(), fix);
        } else {
            preview.notes.push(file.to_string());
        }
    }
    for other in difference(from, to).into_iter().filter(|other| other.part != Part::File) {
        preview.notes.push(other.to_string());
    }
    Ok(())
}

async fn create(tools: &Tools, spec: &ContainerSpec, image: &str, preview: &mut Preview) -> Result<(), StepError> {
    let Judged { verdict, away } = place::judge(tools, spec).await?;
    preview.notes.extend(away.iter().cloned());
    let Some(chosen) = verdict.chosen else {
        let Failure { detail, .. } = place::no_place(&verdict.considered, &away);
        preview.conflict(
            "node",
            format!("no node can take it: {detail}"),
            "make room, ask for less, or choose another place",
        );
        preview.considered = verdict.considered;
        return Ok(());
    };
    preview.considered = verdict.considered;
    let host = tools.hosts.get(chosen.host).await?;
    let vmid = number(tools, spec, &host, preview).await?;
    let node = &chosen.node;
    let volume = volume(tools, image, &host, node, preview).await?;
    preview.calls.extend(making(spec, node, vmid, &chosen.storage, volume));
    preview.chosen = Some(chosen);
    Ok(())
}

/// How a guest is made and started.
fn making(spec: &ContainerSpec, node: &str, vmid: u32, storage: &str, volume: String) -> [Call; 2] {
    let mut call = Call::new("POST", format!("/nodes/{node}/lxc"))
        .with("vmid", vmid)
        .with("hostname", &spec.hostname)
        .with("ostemplate", volume)
        .with("rootfs", format!("{storage}:{}", spec.disk_gb))
        .with("cores", spec.cores)
        .with("memory", spec.memory_mb)
        .with("swap", spec.swap_mb)
        .with("net0", network_of(&spec.network))
        .with("unprivileged", u8::from(spec.unprivileged))
        .with("tags", guest_tags(&spec.tags).join(";"));
    if spec.start_on_boot {
        call = call.with("onboot", 1);
    }
    [call, Call::new("POST", format!("/nodes/{node}/lxc/{vmid}/status/start"))]
}

/// The one that was asked for, or the one that Proxmox would give now; it is leased only when it is really asked for.
async fn number(tools: &Tools, spec: &ContainerSpec, host: &Host, preview: &mut Preview) -> Result<u32, StepError> {
    let Some(wanted) = spec.vmid else {
        preview.notes.push("the VMID is the next that is free when it is really asked for".to_owned());
        return Ok(host.client.next_id().await.map_err(proxmox_failure)?.max(Vmid::LOWEST));
    };
    let guests = host.client.resources(Some("vm")).await.map_err(proxmox_failure)?;
    let exists = guests.iter().any(|guest| guest.vmid == Some(wanted.into()));
    let vmid = Vmid::try_from(wanted).map_err(StepError::internal)?;
    let id = VmidOfHost { host: host.id, vmid };
    let stream = <domain::vmid::VmidLease as domain::Aggregate>::stream(id);
    let leased: Option<VmidRow> = views::get(tools.log.db(), stream.id()).await.map_err(StepError::internal)?;
    if exists {
        preview.conflict(
            "vmid",
            format!("{wanted} exists on {}", host.settings.name),
            "choose another, or leave it out",
        );
    } else if leased.is_some() {
        preview.conflict("vmid", format!("{wanted} is leased by another container"), "choose another, or leave it out");
    }
    Ok(wanted)
}

async fn volume(
    tools: &Tools,
    image: &str,
    host: &Host,
    node: &str,
    preview: &mut Preview,
) -> Result<String, StepError> {
    Ok(match Available::on(host, node, image).await? {
        Available { volume: Some(volume), .. } => volume,
        Available { holder: Some(holder), .. } if tools.settings.download_images => {
            let path = format!("/nodes/{node}/aplinfo");
            preview.calls.push(Call::new("POST", path).with("storage", &holder).with("template", image));
            preview.notes.push(format!("the image {image} is downloaded to {holder} first"));
            format!("{holder}:vztmpl/{image}")
        }
        Available { .. } => {
            let problem = format!("{image} is not on {node}, and may not or can't be downloaded");
            preview.conflict("image", problem, "have an operator put it on a storage of the node");
            image.to_owned()
        }
    })
}

async fn delete(
    tools: &Tools,
    guest: &Guest,
    (purge, keep_unreferenced): (bool, bool),
    preview: &mut Preview,
) -> Result<(), StepError> {
    let host: Arc<Host> = tools.hosts.get(guest.host).await?;
    let path = format!("/nodes/{}/lxc/{}", guest.node, guest.vmid);
    match host.client.lxc(&guest.node, guest.vmid.get()).status().await {
        Ok(status) => {
            if let Some(lock) = &status.lock {
                preview.notes.push(format!("Proxmox has it locked ({lock}): the delete waits for that"));
            }
            if status.is_running() {
                preview.calls.push(Call::new("POST", format!("{path}/status/stop")));
            }
            let unreferenced = u8::from(!keep_unreferenced);
            let call = Call::new("DELETE", path).with("destroy-unreferenced-disks", unreferenced);
            preview.calls.push(if purge { call.with("purge", 1) } else { call });
        }
        Err(error) if error.is_missing(Thing::Guest) => {
            preview.notes.push("it is gone from Proxmox already: only its record is closed".to_owned());
        }
        Err(error) => return Err(proxmox_failure(error)),
    }
    Ok(())
}
