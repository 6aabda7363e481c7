//! Bringing back what a container held: with the settings that it has now, and again when it did not go well.

use domain::ContainerId;
use domain::container::{Change, Source};
use domain::copy::file;
use domain::operation::{Command, Status};
use domain::pipeline::PipelineName;
use sim::{Effect, Rule};
use worker::Sweep;

use crate::copies::{backup, done, has_succeeded, prepare, snapshot};
use crate::support::{World, hostname, spec};

/// With its config's text as Proxmox has it.
async fn is_as_recorded(world: &World, container: ContainerId) {
    let (api, guest) = world.api(container).await;
    let config = api.lxc(&guest.node, guest.vmid.get()).config().await.unwrap();
    let record = world.container(container).await;
    let spec = &record.request().unwrap().spec;
    assert_eq!(config.get("hostname"), Some(spec.hostname.as_str()));
    assert!(config.get("description").unwrap().starts_with(&spec.hostname), "{:?}", config.get("description"));
    assert!(config.get("rootfs").unwrap().ends_with(&format!("size={}G", spec.disk_gb)), "{:?}", config.get("rootfs"));
    let looked = Sweep::new(world.tools.clone()).look(true).await.unwrap();
    assert_eq!((looked.containers, looked.drifted), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_was_changed_since_keeps_its_settings_when_its_files_come_back() {
    let world = World::new().await;
    let (container, create) = world.request(spec(&hostname(), Source::Image("debian-12".into()))).await;
    assert_eq!(world.drive(create).await.status(), Some(Status::Succeeded));
    let vmid = world.container(container).await.guest().unwrap().vmid.get();
    world.in_guest(vmid, "echo old >/srv/note").await;
    done(&world, snapshot(container, "first")).await;
    done(&world, backup(container)).await;
    let backup = file(&world.container(container).await.backups().next().unwrap().volume).to_owned();
    let before = world.container(container).await.request().unwrap().spec.clone();
    let size = Change {
        cores: Some(before.cores + 1),
        memory_mb: Some(before.memory_mb * 2),
        disk_gb: Some(before.disk_gb + 2),
        ..Change::default()
    };
    let rest = Change {
        hostname: Some(hostname()),
        tags: Some(vec!["eu".into()]),
        start_on_boot: Some(!before.start_on_boot),
        ..Change::default()
    };
    done(&world, Command::ResizeContainer { container, change: size }).await;
    done(&world, Command::ChangeContainer { container, change: rest }).await;
    for (pipeline, back) in [
        (PipelineName::Rollback, Command::RollBack { container, name: "first".into(), start: None }),
        (PipelineName::Restore, Command::RestoreBackup { container, backup, start: None }),
    ] {
        world.in_guest(vmid, "echo new >/srv/note").await;
        done(&world, back).await;
        assert_eq!(world.in_guest(vmid, "cat /srv/note").await.trim(), "old", "{pipeline:?}");
        is_as_recorded(&world, container).await;
    }
}

/// The guest was taken away for it already, and what it left in its place is locked.
#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_died_in_the_middle_is_made_again() {
    let world = World::new().await;
    let (container, create) = world.request(spec(&hostname(), Source::Image("debian-12".into()))).await;
    assert_eq!(world.drive(create).await.status(), Some(Status::Succeeded));
    let (container, restore) = prepare(&world, container, PipelineName::Restore).await;
    let effect = Effect::TaskFails("can't lock file '/run/lock/lxc/pve-config-100.lock' - got timeout".to_owned());
    let rule = world.sim.faults().add(Rule::once("POST /nodes/*/lxc", effect));
    let operation = world.drive(restore).await;
    assert_eq!(operation.status(), Some(Status::Succeeded), "{:?}", operation.end());
    assert_eq!(world.sim.faults().hits(rule), 1);
    has_succeeded(&world, container, PipelineName::Restore).await.unwrap();
}
