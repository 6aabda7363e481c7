//! Applying a template again and going on to its next version, looked at from inside of the guest.

use std::sync::Arc;

use domain::container::TemplateVersion;
use domain::operation::{Command, End, OperationCommand, Status};
use domain::pipeline::{PipelineName, StepName};
use domain::template::{FilePolicy, FileUpdate, Script, Side, Take, Template, TemplateFile};
use domain::{ContainerId, Meta, OperationId};
use platform::catalogue::{Found, version_of};
use platform::log::Append;
use sim::{Effect, Rule};
use worker::Copies;

use crate::fault::Fault;
use crate::proofs::{On, begin, each, has_succeeded as ended_well, on_both, tiny};
use crate::support::World;
use crate::trips::{Met, Trip};

pub(crate) const OURS: [PipelineName; 2] = [PipelineName::Apply, PipelineName::Update];

on_both!(
    a_crash_after_every_single_append_ends_the_same,
    a_failure_at_each_step_leaves_it_as_it_was_and_is_retried,
    each_undo_may_run_twice,
);

/// A container of the template `tiny`, whole.
async fn whole(world: &World) -> ContainerId {
    let (container, create) = tiny(world, false).await;
    assert_eq!(world.drive(create).await.status(), Some(Status::Succeeded));
    container
}

fn file(name: &str, policy: FilePolicy, content: &str) -> TemplateFile {
    TemplateFile {
        name: name.to_owned(),
        directory: "/etc/tiny".to_owned(),
        policy,
        mode: Some(0o600),
        owner: Some("daemon:daemon".to_owned()),
        content: content.into(),
    }
}

/// The version that comes after: a changed file, another mode and owner, a new file, a script more.
async fn next(world: &World) -> Template {
    let found = world.tools.catalogue.find("tiny").await.unwrap().unwrap();
    let mut template = (**found.template.as_ref().unwrap()).clone();
    let rules = template.files.iter_mut().find(|file| file.name == "rules").unwrap();
    *rules = file("rules", FilePolicy::Replace, "allow=everybody\n");
    template.files.push(file("extra", FilePolicy::Backup, "one=1\n"));
    template.scripts.push(Script { order: 40, name: "40-four.sh".into(), content: "echo four >>/srv/ran\n".into() });
    template
}

/// Keeps the version as accepting an update does, and says how to go there.
async fn to(world: &World, container: ContainerId, template: Template, take: Take) -> Command {
    let version = TemplateVersion { name: template.name.clone(), hash: version_of(&template) };
    let found = Found {
        name: template.name.clone(),
        template: Some(Arc::new(template)),
        version: Some(version.clone()),
        findings: vec![],
    };
    if let Some(row) = world.tools.catalogue.keep(&found) {
        world.log.append(Append::new(Meta::system("test")).with(row)).await.unwrap();
    }
    let from = world.container(container).await.request().unwrap().template.clone().unwrap();
    Command::UpdateContainer { container, from, to: version, take, without_snapshot: false, answers: None }
}

pub(crate) async fn prepare(world: &World, pipeline: PipelineName) -> (ContainerId, OperationId) {
    let container = whole(world).await;
    let command = match pipeline {
        PipelineName::Apply => Command::ApplyTemplate { container },
        _ => to(world, container, next(world).await, Take::default()).await,
    };
    (container, world.accept(command).await)
}

async fn inside(world: &World, container: ContainerId, script: &str) -> String {
    let vmid = world.container(container).await.guest().unwrap().vmid.get();
    world.in_guest(vmid, script).await
}

async fn snapshots(world: &World, container: ContainerId) -> usize {
    let guest = world.container(container).await.guest().cloned().unwrap();
    Copies::new(world.tools.clone()).snapshots(&guest).await.unwrap().len()
}

/// What the guest has: how often scripts ended well, the files with their modes and owners, snapshots, and the version.
async fn state(world: &World, container: ContainerId) -> (String, String, usize, bool) {
    let ran = inside(world, container, "tr '\\n' ' ' </srv/ran").await;
    let files = "cd /etc/tiny && for f in *; do echo $f $(stat -c '%a %U:%G' $f) $(cat $f); done";
    let files = inside(world, container, files).await;
    let has = world.container(container).await.request().unwrap().template.clone().unwrap().hash;
    let first = world.tools.catalogue.find("tiny").await.unwrap().unwrap().version.clone().unwrap().hash;
    (ran, files, snapshots(world, container).await, has == first)
}

const BEFORE: &str = "conf 644 root:root answer=42\nrules 640 root:root allow=nobody\n";
const AFTER: &str =
    "conf 644 root:root answer=42\nextra 600 daemon:daemon one=1\nrules 600 daemon:daemon allow=everybody\n";

pub(crate) async fn has_succeeded(world: &World, container: ContainerId, pipeline: PipelineName) -> Result<(), String> {
    let found = state(world, container).await;
    let (ran, files, first) = match pipeline {
        PipelineName::Apply => ("one two three one two three ", BEFORE, true),
        _ => ("one two three one two three four ", AFTER, false),
    };
    let wanted = (ran.to_owned(), files.to_owned(), 0, first);
    if found == wanted { Ok(()) } else { Err(format!("{found:?}")) }
}

async fn is_as_before(world: &World, container: ContainerId) -> Result<(), String> {
    let found = state(world, container).await;
    let wanted = ("one two three ".to_owned(), BEFORE.to_owned(), 0, true);
    if found == wanted { Ok(()) } else { Err(format!("{found:?}")) }
}

async fn a_crash_after_every_single_append_ends_the_same(on: On) {
    let world = on.world().await;
    let mut all = Vec::new();
    for pipeline in OURS {
        let (_, whole) = begin(&world, pipeline).await;
        world.drive(whole).await;
        let versions = world.versions(whole).await;
        all.extend((2..=versions).flat_map(|at| [Trip::Before(at), Trip::After(at)]).map(|trip| (pipeline, trip)));
    }
    each(all, async |(pipeline, trip)| {
        let (container, id) = begin(&world, pipeline).await;
        world.until_killed(id, trip).await;
        world.drive(id).await;
        ended_well(&world, pipeline, container, id).await
    })
    .await;
}

async fn a_failure_at_each_step_leaves_it_as_it_was_and_is_retried(on: On) {
    let all = PipelineName::Update.table().steps().filter_map(|step| Some((step.name, Fault::at(step.name)?)));
    each(all, async |(step, fault)| {
        // Of its own, because faults strike whoever comes by.
        let world = on.world().await;
        let (container, id) = begin(&world, PipelineName::Update).await;
        if world.until_killed(id, Trip::BeforeStart(step)).await != Met::Tripped {
            return Err("never came there".to_owned());
        }
        fault.strike(&world, container).await;
        let failed = world.drive(id).await;
        if failed.status() != Some(Status::Failed) {
            return Err(format!("did not fail: {:?}", failed.end()));
        }
        fault.mend(&world, container).await;
        is_as_before(&world, container).await?;
        world.ask(id, OperationCommand::Retry).await;
        world.drive(id).await;
        ended_well(&world, PipelineName::Update, container, id).await
    })
    .await;
}

async fn each_undo_may_run_twice(on: On) {
    let world = on.world().await;
    let undone = PipelineName::Update.table().steps().filter(|spec| spec.undo).map(|spec| spec.name);
    each(undone, async |step| {
        let (container, id) = begin(&world, PipelineName::Update).await;
        if world.until_killed(id, Trip::BeforeStart(StepName::DropGuard)).await != Met::Tripped {
            return Err("never came there".to_owned());
        }
        world.ask(id, OperationCommand::Cancel).await;
        if world.until_killed(id, Trip::BeforeUndone(step)).await != Met::Tripped {
            return Err("was never undone".to_owned());
        }
        match world.drive(id).await.status() {
            Some(Status::Cancelled) => is_as_before(&world, container).await,
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_is_not_healthy_is_rolled_back() {
    let world = World::new().await;
    let container = whole(&world).await;
    let mut template = next(&world).await;
    // Broken only now: the same script ended well when the container was made.
    template.scripts.push(Script {
        order: 90,
        name: "90-stop.sh".into(),
        content: "systemctl disable --now nginx\nrm /etc/tiny/conf\n".into(),
    });
    template.settings.ports.clear();
    let command = to(&world, container, template, Take::default()).await;
    let id = world.accept(command).await;
    let ended = world.drive(id).await;
    let Some(End::Failed(failure)) = ended.end() else { panic!("{:?}", ended.end()) };
    assert_eq!(failure.slug, "unhealthy", "{failure}");
    is_as_before(&world, container).await.unwrap();
    inside(&world, container, "systemctl is-active nginx").await;
}

/// Taking it away may fail as any step may; but an update that went well is not undone because of it.
#[tokio::test(flavor = "multi_thread")]
async fn the_snapshot_of_an_update_is_deleted_once_nobody_holds_the_guest_or_is_on_record() {
    let locked = "can't lock file '/run/lock/lxc/pve-config-102.lock' - got timeout";
    for (times, text, left) in [(Some(2), locked, 0), (None, locked, 1), (None, "it is in use", 1)] {
        let world = World::new().await;
        let (container, id) = prepare(&world, PipelineName::Update).await;
        let fails = Rule::always("DELETE /nodes/*/lxc/*/snapshot/*", Effect::TaskFails(text.into()));
        world.sim.faults().add(Rule { times, ..fails });
        let done = world.drive(id).await;
        assert_eq!(done.status(), Some(Status::Succeeded), "{:?}", done.end());
        assert_eq!(snapshots(&world, container).await, left, "{times:?} {text}");
        assert_eq!(world.container(container).await.snapshots().count(), left, "{times:?} {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_whose_guest_somebody_removes_in_the_middle_fails_and_is_not_stuck() {
    let world = World::new().await;
    let (container, id) = prepare(&world, PipelineName::Update).await;
    assert_eq!(world.until_killed(id, Trip::BeforeStart(StepName::VerifyPorts)).await, Met::Tripped);
    let (api, guest) = world.api(container).await;
    let wanted = proxmox::LxcDelete { force: true, purge: false, unreferenced_disks: true };
    let upid = api.lxc(&guest.node, guest.vmid.get()).delete(wanted).await.unwrap();
    let waiting = proxmox::Waiting { limit: std::time::Duration::from_secs(60), cancel: Default::default() };
    assert!(matches!(api.wait_silently(&upid, &waiting).await, Ok(proxmox::Finished::Done { .. })));
    let ended = world.drive(id).await;
    let Some(End::Failed(failure)) = ended.end() else { panic!("{:?}", ended.end()) };
    assert_eq!(failure.slug, "guest-gone", "{failure}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_on_both_sides_is_a_conflict_until_somebody_decides() {
    let world = World::new().await;
    let container = whole(&world).await;
    inside(&world, container, "echo allow=me >/etc/tiny/rules").await;
    let run = async |take: Take| {
        let command = to(&world, container, next(&world).await, take).await;
        let id = world.accept(command).await;
        world.drive(id).await
    };
    let refused = run(Take::default()).await;
    let Some(End::Failed(failure)) = refused.end() else { panic!("{:?}", refused.end()) };
    assert_eq!(failure.slug, "update-conflicts");
    assert!(failure.detail.contains("/etc/tiny/rules") && failure.detail.contains("theirs"), "{failure}");
    let rules = "cat /etc/tiny/rules; ls /etc/tiny; cat /srv/ran | wc -l";
    assert_eq!(inside(&world, container, rules).await, "allow=me\nconf\nrules\n3\n", "nothing was touched");

    // The container's stays, and all else goes on.
    let mut ours = Take::default();
    ours.files.insert("/etc/tiny/rules".into(), Side::Ours);
    let done = run(ours).await;
    assert_eq!(done.status(), Some(Status::Succeeded), "{:?}", done.end());
    let files: Vec<FileUpdate> = serde_json::from_value(done.fact(StepName::UpdateFiles).unwrap().clone()).unwrap();
    let told: Vec<_> = files.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["/etc/tiny/extra: created", "/etc/tiny/rules: kept (the container's was taken)"]);
    assert_eq!(inside(&world, container, rules).await, "allow=me\nconf\nextra\nrules\n7\n");

    // The next one changes it again; now the template's is taken. What was changed with policy backup is moved aside.
    inside(&world, container, "echo one=mine >/etc/tiny/extra").await;
    let mut template = next(&world).await;
    for file in &mut template.files {
        file.content.extend(b"# more\n");
    }
    let command = to(&world, container, template, Take { all: Some(Side::Theirs), ..Take::default() }).await;
    let id = world.accept(command).await;
    let done = world.drive(id).await;
    assert_eq!(done.status(), Some(Status::Succeeded), "{:?}", done.end());
    let files = "cd /etc/tiny; cat rules extra extra.backup-*; stat -c %a rules; ls | wc -l";
    let wanted = "allow=everybody\n# more\none=1\n# more\none=mine\n600\n";
    let seen = inside(&world, container, files).await;
    assert!(seen.starts_with(wanted), "{seen}");
}
