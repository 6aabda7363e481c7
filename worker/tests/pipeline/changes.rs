//! What a container is changed to, and how it is seen that it is so.
#![allow(clippy::unwrap_used, reason = "tests say what they expect by failing")]

use domain::container::{Change, Container, ContainerCommand, Source};
use domain::operation::{Command, OperationCommand, Status};
use domain::pipeline::{PipelineName, StepName};
use domain::{Aggregate as _, ContainerId, Event as _, OperationId};
use sha2::{Digest as _, Sha256};
use sim::{Effect, Rule};

use crate::support::{Ground, World, hostname, meta, spec};
use crate::trips::{Met, Trip};

impl World {
    /// A change that the container's stream holds, as the API accepts it.
    pub(crate) async fn change(&self, pipeline: PipelineName, container: ContainerId) -> Command {
        let change = match pipeline {
            PipelineName::Resize => Change {
                cores: Some(3),
                memory_mb: Some(768),
                swap_mb: Some(64),
                disk_gb: Some(6),
                ..Change::default()
            },
            _ => Change {
                hostname: Some(hostname()),
                tags: Some(vec!["shop".into(), "eu".into()]),
                description: Some("Ann's shop\nsince May".into()),
                start_on_boot: Some(true),
                ..Change::default()
            },
        };
        self.accept_change(container, change.clone()).await;
        match pipeline {
            PipelineName::Resize => Command::ResizeContainer { container, change },
            _ => Command::ChangeContainer { container, change },
        }
    }

    pub(crate) async fn accept_change(&self, container: ContainerId, change: Change) {
        self.log.execute::<Container>(container, ContainerCommand::AcceptChange(change), &(), meta()).await.unwrap();
    }

    /// On Proxmox is what the container's stream says, and it is still known to be ours.
    pub(crate) async fn is_changed(&self, container: ContainerId) -> Result<(), String> {
        let state = self.container(container).await;
        let spec = state.request().unwrap().spec.clone();
        let (api, guest) = self.api(container).await;
        let config = api.lxc(&guest.node, guest.vmid.get()).config().await.unwrap();
        let text = |name: &str| config.get(name).unwrap_or_default().trim().to_owned();
        let size = format!("size={}G", spec.disk_gb);
        let mut wanted = vec![domain::container::marker::TAG.to_owned()];
        wanted.extend(spec.tags.clone());
        let right = [
            ("changing", state.changing().is_none()),
            ("cores", text("cores") == spec.cores.to_string()),
            ("memory", text("memory") == spec.memory_mb.to_string()),
            ("swap", text("swap") == spec.swap_mb.to_string()),
            ("rootfs", text("rootfs").ends_with(&size)),
            ("hostname", text("hostname") == spec.hostname),
            ("onboot", (text("onboot") == "1") == spec.start_on_boot),
            ("tags", text("tags").split(';').map(str::to_owned).collect::<Vec<_>>() == wanted),
            ("description", text("description").contains(spec.description.as_deref().unwrap_or_default())),
            ("marker", domain::container::marker::parse(&text("tags"), &text("description")) == Some(container)),
        ];
        let wrong: Vec<_> = right.iter().filter(|(_, right)| !right).map(|(name, _)| *name).collect();
        if wrong.is_empty() { Ok(()) } else { Err(format!("{wrong:?}: {config:?} for {spec:?}")) }
    }

    pub(crate) async fn new_password(&self, container: ContainerId, password: &[u8]) -> Command {
        let (password, row) = self.seal("password", password);
        let loaded = self.log.load::<Container>(container).await.unwrap();
        let events = loaded.state.decide(ContainerCommand::GiveRootPassword(password), &()).unwrap();
        let events = events.iter().map(|e| e.encode().unwrap()).collect();
        let append = platform::log::Append::new(meta()).stream(Container::stream(container), loaded.expected(), events);
        self.log.append(append.with(row)).await.unwrap();
        Command::SetRootPassword { container, password }
    }

    pub(crate) async fn has_password(&self, container: ContainerId, password: &str) -> Result<(), String> {
        let vmid = self.container(container).await.guest().unwrap().vmid.get();
        let kept = self.in_guest(vmid, "sed -n 's/^root:\\([^:]*\\):.*/\\1/p' /etc/shadow").await;
        let kept = kept.trim();
        let mut parts = kept.splitn(4, '$').skip(2);
        let (salt, hash) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let made: String =
            Sha256::digest(format!("{salt}{password}")).iter().map(|byte| format!("{byte:02x}")).collect();
        if made == hash { Ok(()) } else { Err(format!("{kept} is not of {password}")) }
    }

    pub(crate) async fn made(&self) -> ContainerId {
        let (container, create) = self.request(spec(&hostname(), Source::Image("debian-12".into()))).await;
        assert_eq!(self.drive(create).await.status(), Some(Status::Succeeded));
        container
    }
}

pub(crate) async fn config(world: &World, container: ContainerId) -> Vec<(String, String)> {
    let (api, guest) = world.api(container).await;
    let config = api.lxc(&guest.node, guest.vmid.get()).config().await.unwrap();
    config
        .iter()
        .filter(|(name, _)| *name != "digest")
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// As the API does it for one that failed.
async fn retry(world: &World, container: ContainerId, id: OperationId) {
    let change = world.operation(id).await.accepted().unwrap().command.change().unwrap().clone();
    world.accept_change(container, change).await;
    world.ask(id, OperationCommand::Retry).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_fails_or_is_cancelled_at_any_step_leaves_all_as_it_was() {
    let world = World::new().await;
    for pipeline in [PipelineName::Resize, PipelineName::Change] {
        let container = world.made().await;
        let before = (config(&world, container).await, world.container(container).await);
        let calls = ["PUT /nodes/*/lxc/*/config", "PUT /nodes/*/lxc/*/resize"];
        let calls = &calls[..if pipeline == PipelineName::Resize { 2 } else { 1 }];
        let mut failed = None;
        for call in calls {
            let id = world.accept(world.change(pipeline, container).await).await;
            world
                .sim
                .faults()
                .add(Rule::always(call, Effect::Status { status: 403, reason: "Permission check failed".into() }));
            // Only the way there is to fail.
            let ended = async {
                loop {
                    if world.operation(id).await.failing().is_some() {
                        world.sim.faults().clear();
                        return;
                    }
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                }
            };
            let (operation, ()) = tokio::join!(world.drive(id), ended);
            assert_eq!(operation.status(), Some(Status::Failed), "{call}");
            assert_eq!((config(&world, container).await, world.container(container).await), before, "{call}");
            failed = Some(id);
        }
        let id = failed.unwrap();
        retry(&world, container, id).await;
        assert_eq!(world.drive(id).await.status(), Some(Status::Succeeded));
        world.is_changed(container).await.unwrap();
    }
    let container = world.made().await;
    let before = (config(&world, container).await, world.container(container).await);
    let id = world.accept(world.change(PipelineName::Resize, container).await).await;
    assert_eq!(world.until_killed(id, Trip::BeforeStart(StepName::GrowDisk)).await, Met::Tripped);
    assert_ne!(config(&world, container).await, before.0);
    world.ask(id, OperationCommand::Cancel).await;
    assert_eq!(world.drive(id).await.status(), Some(Status::Cancelled));
    assert_eq!((config(&world, container).await, world.container(container).await), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_set_meanwhile_is_not_put_back() {
    let world = World::new().await;
    let container = world.made().await;
    let id = world.accept(world.change(PipelineName::Resize, container).await).await;
    assert_eq!(world.until_killed(id, Trip::BeforeStart(StepName::GrowDisk)).await, Met::Tripped);
    let (api, guest) = world.api(container).await;
    let theirs = proxmox::LxcChange { memory: Some(2048), ..Default::default() };
    api.lxc(&guest.node, guest.vmid.get()).configure(&theirs).await.unwrap();
    world.ask(id, OperationCommand::Cancel).await;
    assert_eq!(world.drive(id).await.status(), Some(Status::Cancelled));
    let config = api.lxc(&guest.node, guest.vmid.get()).config().await.unwrap();
    assert_eq!((config.get("memory"), config.get("cores")), (Some("2048"), Some("1")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_another_takes_meanwhile_fails_the_rename_and_is_put_back() {
    let world = World::new().await;
    let container = world.made().await;
    let command = world.change(PipelineName::Change, container).await;
    let name = command.change().unwrap().hostname.clone().unwrap();
    let id = world.accept(command).await;
    assert_eq!(world.until_killed(id, Trip::BeforeStart(StepName::RecordChange)).await, Met::Tripped);
    world.request(spec(&name, Source::Image("debian-12".into()))).await;
    let operation = world.drive(id).await;
    assert_eq!(operation.status(), Some(Status::Failed));
    assert_eq!(operation.failing().map(|failure| failure.slug.as_str()), Some("name-taken"));
    world.is_changed(container).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_was_not_set_is_forgotten_and_one_that_was_is_not_told_by_anybody() {
    let world = World::new().await;
    let container = world.made().await;
    let command = world.new_password(container, b"secret horse battery").await;
    let Command::SetRootPassword { password, .. } = command else { panic!() };
    let id = world.accept(command.clone()).await;
    world.ask(id, OperationCommand::Cancel).await;
    assert_eq!(world.drive(id).await.status(), Some(Status::Cancelled));
    assert!(world.tools.vault.open(password).await.is_err());

    let command = world.new_password(container, b"secret horse battery").await;
    let id = world.accept(command).await;
    assert_eq!(world.drive(id).await.status(), Some(Status::Succeeded));
    world.has_password(container, "secret horse battery").await.unwrap();
    let mut all = format!("{:?}", world.progress(id).await);
    let mut from = domain::Position(0);
    loop {
        let page = world.log.read(from, 500).await.unwrap();
        let Some(last) = page.last() else { break };
        from = last.position;
        all += &page.iter().map(|event| event.data.to_string()).collect::<String>();
    }
    assert!(!all.contains("secret horse"), "the password stands in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_criu_says_what_to_do_instead() {
    let mut ground = Ground::local();
    ground.sim.criu = false;
    let world = World::on(ground).await;
    let container = world.made().await;
    let id = world.accept(Command::SuspendContainer { container }).await;
    let operation = world.drive(id).await;
    let failure = operation.failing().unwrap();
    assert_eq!(failure.slug, "checkpoint-failed");
    assert!(failure.detail.contains("shut it down"), "{failure}");
}
