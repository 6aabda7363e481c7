//! Every action in every state that a guest can be in comes to the end that docs/actions.md tells: the page is the table
//! that is tested.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::container::{Container, ContainerCommand, Guest, Power, Stopping};
use domain::operation::{AfterFailure, Command, End, FailureKind, WaitReason};
use domain::pipeline::PipelineName;
use domain::{ContainerId, OperationId};
use futures_util::StreamExt as _;
use futures_util::stream;
use platform::clock::now;
use platform::views::{self, OperationRow};
use proxmox::{LxcDelete, TaskList, Upid};
use worker::engine::Outcome;

use crate::proofs::{AT_ONCE, On, begin, on_both};
use crate::support::{World, meta, turn, unique};

const PAGE: &str = include_str!("../../../docs/actions.md");

/// As the page calls them, in its order.
const ACTIONS: [(&str, PipelineName); 25] = [
    ("start", PipelineName::Start),
    ("stop", PipelineName::Stop),
    ("shutdown", PipelineName::Shutdown),
    ("reboot", PipelineName::Reboot),
    ("suspend", PipelineName::Suspend),
    ("resume", PipelineName::Resume),
    ("delete", PipelineName::Delete),
    ("resize", PipelineName::Resize),
    ("change", PipelineName::Change),
    ("root password", PipelineName::RootPassword),
    ("snapshot", PipelineName::Snapshot),
    ("roll back", PipelineName::Rollback),
    ("delete a snapshot", PipelineName::DeleteSnapshot),
    ("back up", PipelineName::Backup),
    ("restore", PipelineName::Restore),
    ("restore as new", PipelineName::RestoreNew),
    ("delete a backup", PipelineName::DeleteBackup),
    ("clone", PipelineName::Clone),
    ("rebuild", PipelineName::Rebuild),
    ("apply the template", PipelineName::Apply),
    ("update", PipelineName::Update),
    ("put back", PipelineName::PutBack),
    ("release", PipelineName::Release),
    ("remove an orphan", PipelineName::RemoveOrphan),
    // Last, because its number is nobody's when it is gone.
    ("adopt", PipelineName::Adopt),
];

/// What of Proxmox locks a guest and lets it go again; one after the other.
const LOCKS: [&str; 3] = ["backup", "snapshot", "migrate"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    Stopped,
    Suspended,
    /// By something of Proxmox that ends, and lets it go.
    Locked,
    LockStays,
    Gone,
    NodeDown,
    NodeStaysDown,
}

impl State {
    /// Of the page, in its order.
    const ALL: [(&str, Self); 6] = [
        ("running", Self::Running),
        ("stopped", Self::Stopped),
        ("suspended", Self::Suspended),
        ("locked", Self::Locked),
        ("gone", Self::Gone),
        ("node down", Self::NodeDown),
    ];

    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, state)| *state == self).unwrap().0
    }

    fn is_held_up_by(self, reason: &WaitReason) -> bool {
        match reason {
            WaitReason::ProxmoxLock { .. } => matches!(self, Self::Locked | Self::LockStays),
            WaitReason::HostUnreachable { .. } => matches!(self, Self::NodeDown | Self::NodeStaysDown),
            _ => false,
        }
    }
}

on_both!(
    one_that_runs,
    one_that_is_stopped,
    one_that_is_suspended,
    one_that_proxmox_has_locked,
    what_is_never_let_go_is_given_up,
    one_that_is_gone,
    one_whose_node_is_down,
);

async fn one_that_runs(on: On) {
    holds(on, State::Running).await;
}

async fn one_that_is_stopped(on: On) {
    holds(on, State::Stopped).await;
}

async fn one_that_is_suspended(on: On) {
    holds(on, State::Suspended).await;
}

async fn one_that_proxmox_has_locked(on: On) {
    holds(on, State::Locked).await;
}

async fn one_that_is_gone(on: On) {
    holds(on, State::Gone).await;
}

async fn one_whose_node_is_down(on: On) {
    holds(on, State::NodeDown).await;
}

/// Of some: it takes as many tries with each.
async fn what_is_never_let_go_is_given_up(on: On) {
    let world = on.world().await;
    for (action, pipeline) in [("start", PipelineName::Start), ("change", PipelineName::Change)] {
        for (state, slug) in [(State::LockStays, "guest-locked"), (State::NodeStaysDown, "host-away")] {
            let case = prepare(&world, action, pipeline, state).await;
            if pipeline == PipelineName::Start {
                case.halt(&world).await;
            }
            let node = case.guest.node.clone();
            world.sim.world().set_online(&node, state != State::NodeStaysDown);
            let case = go(&world, case, Until::Ended).await;
            world.sim.world().set_online(&node, true);
            assert_eq!(told(&world, &case).await, format!("waits, `{slug}`"), "{action} {state:?}");
            assert!(PAGE.contains(&format!("`{slug}`")));
        }
    }
}

/// An action that is about to meet a guest in some state.
struct Case {
    action: &'static str,
    state: State,
    container: ContainerId,
    id: OperationId,
    /// Whose the guest is, when it is anybody's.
    of: Option<ContainerId>,
    guest: Guest,
    before: Left,
    met: Met,
}

/// More than any kind of failure is tried again, forwards and backwards.
const MOST_TURNS: u32 = 150;

/// What had to be waited for on the way.
#[derive(Default)]
struct Met {
    held_up: u32,
    /// Nothing that anybody holds, and still it did not go well at once.
    tried_again: bool,
}

/// What Proxmox has of a guest, to see whether anything was done to it.
#[derive(Debug, PartialEq)]
struct Left {
    tasks: usize,
    /// But for its lock.
    config: Vec<(String, String)>,
}

/// One column of the page, on one world.
async fn holds(on: On, state: State) {
    let world = on.world().await;
    let prepared = stream::iter(ACTIONS).map(|(action, pipeline)| prepare(&world, action, pipeline, state));
    let mut cases: Vec<Case> = prepared.buffer_unordered(AT_ONCE).collect().await;
    // Those that take a number come last: it may be one of those that are gone.
    cases.sort_by_key(|case| (case.of.is_some(), case.of != Some(case.container)));
    let mut ended = Vec::new();
    for node in world.sim.nodes().iter().map(|node| node.name.clone()) {
        let (here, elsewhere) = cases.into_iter().partition(|case| case.guest.node == node);
        cases = elsewhere;
        ended.extend(on_node(&world, state, &node, here).await);
    }
    let table = documented();
    let mut wrong = Vec::new();
    for case in ended {
        let found = told(&world, &case).await;
        let wanted = &table[&(case.action.to_owned(), state.word().to_owned())];
        if !wanted.split(" or ").any(|one| one == found) {
            wrong.push(format!("| {} | {} | {found} | not: {wanted} |", case.action, state.word()));
        }
    }
    assert!(wrong.is_empty(), "docs/actions.md says otherwise:\n{}", wrong.join("\n"));
}

async fn on_node(world: &World, state: State, node: &str, cases: Vec<Case>) -> Vec<Case> {
    let side_by_side = async |cases: Vec<Case>, until: Until| -> Vec<Case> {
        stream::iter(cases).map(|case| go(world, case, until)).buffer_unordered(AT_ONCE).collect().await
    };
    match state {
        State::NodeDown => {
            world.sim.world().set_online(node, false);
            let cases = side_by_side(cases, Until::HeldUp).await;
            world.sim.world().set_online(node, true);
            side_by_side(cases, Until::Ended).await
        }
        State::Locked => {
            let mut cases = cases;
            for lock in LOCKS {
                for case in cases.iter_mut().filter(|case| case.met.held_up > 0) {
                    world.sim.world().lock(case.guest.vmid.get(), lock);
                    case.met.held_up = 1;
                }
                cases = side_by_side(cases, Until::HeldUp).await;
            }
            for case in &cases {
                world.sim.world().unlock(case.guest.vmid.get());
            }
            side_by_side(cases, Until::Ended).await
        }
        _ => side_by_side(cases, Until::Ended).await,
    }
}

async fn prepare(world: &World, action: &'static str, pipeline: PipelineName, state: State) -> Case {
    let (container, id) = begin(world, pipeline).await;
    let command = world.operation(id).await.accepted().unwrap().command.clone();
    let (of, guest) = match &command {
        Command::AdoptGuest { host, node, vmid, .. } | Command::RemoveOrphan { host, node, vmid, .. } => {
            (None, Guest { host: *host, node: node.clone(), vmid: *vmid })
        }
        _ => {
            let of = command.source().unwrap_or(container);
            (Some(of), world.container(of).await.guest().cloned().unwrap())
        }
    };
    let mut case = Case {
        action,
        state,
        container,
        id,
        of,
        guest,
        before: Left { tasks: 0, config: Vec::new() },
        met: Met::default(),
    };
    case.bring_about(world).await;
    case.before = case.left(world).await;
    case
}

impl Case {
    /// On Proxmox and in the record.
    async fn bring_about(&self, world: &World) {
        let client = world.tools.hosts.get(self.guest.host).await.unwrap().client.clone();
        let vmid = self.guest.vmid.get();
        let lxc = client.lxc(&self.guest.node, vmid);
        if !world.sim.world().is_running(vmid) {
            ended(&client, lxc.start().await.unwrap()).await;
            self.record(world, ContainerCommand::RecordStarted).await;
        }
        match self.state {
            State::Running | State::NodeDown | State::NodeStaysDown => {}
            State::Stopped => {
                ended(&client, lxc.stop().await.unwrap()).await;
                self.record(world, ContainerCommand::RecordStopped(Stopping::Immediate)).await;
            }
            State::Suspended => {
                ended(&client, lxc.suspend().await.unwrap()).await;
                self.record(world, ContainerCommand::RecordSuspended).await;
            }
            State::Locked | State::LockStays => world.sim.world().lock(vmid, LOCKS[0]),
            State::Gone => {
                ended(&client, lxc.stop().await.unwrap()).await;
                let how = LxcDelete { force: true, purge: true, unreferenced_disks: true };
                ended(&client, lxc.delete(how).await.unwrap()).await;
            }
        }
    }

    /// Locked and all.
    async fn halt(&self, world: &World) {
        let vmid = self.guest.vmid.get();
        world.sim.world().unlock(vmid);
        let client = world.tools.hosts.get(self.guest.host).await.unwrap().client.clone();
        ended(&client, client.lxc(&self.guest.node, vmid).stop().await.unwrap()).await;
        self.record(world, ContainerCommand::RecordStopped(Stopping::Immediate)).await;
        if self.state == State::LockStays {
            world.sim.world().lock(vmid, LOCKS[0]);
        }
    }

    async fn record(&self, world: &World, what: ContainerCommand) {
        if let Some(of) = self.of {
            world.log.execute::<Container>(of, what, &(), meta()).await.unwrap();
        }
    }

    async fn left(&self, world: &World) -> Left {
        let client = world.tools.hosts.get(self.guest.host).await.unwrap().client.clone();
        let wanted =
            TaskList { vmid: Some(self.guest.vmid.get()), with_active: true, limit: Some(500), ..TaskList::default() };
        let tasks = client.tasks(&self.guest.node, &wanted).await.unwrap().len();
        let config = client.lxc(&self.guest.node, self.guest.vmid.get()).config().await.ok();
        let lines = config.iter().flat_map(|config| config.iter());
        let lines = lines.filter(|(name, _)| !["lock", "digest"].contains(name));
        Left { tasks, config: lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect() }
    }
}

impl Left {
    fn is_of(&self, container: ContainerId) -> bool {
        let marker = domain::container::marker(container);
        self.config.iter().any(|(name, text)| name == "description" && text.contains(&marker))
    }
}

async fn ended(client: &proxmox::Client, upid: Upid) {
    let waiting =
        proxmox::Waiting { limit: Duration::from_secs(60), cancel: tokio_util::sync::CancellationToken::new() };
    let ended = client.wait_silently(&upid, &waiting).await;
    assert!(matches!(ended, Ok(proxmox::Finished::Done { .. })), "{upid}: {ended:?}");
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// What is in its way has been in its way more than once.
    HeldUp,
    Ended,
}

async fn go(world: &World, mut case: Case, until: Until) -> Case {
    for _ in 0..MOST_TURNS {
        match world.engine("driver").drive(case.id, &turn(&unique("driver"))).await {
            Ok(Outcome::Ended) => return case,
            Ok(Outcome::Later(Some(at))) => {
                // As it is shown to who asks why nothing happens.
                let row: Option<OperationRow> = views::get(world.log.db(), case.id).await.unwrap();
                let held_up = row.unwrap().waiting.is_some_and(|reason| case.state.is_held_up_by(&reason));
                case.met.held_up += u32::from(held_up);
                case.met.tried_again |= !held_up;
                world.skip_to(at);
                if until == Until::HeldUp && case.met.held_up > 1 {
                    return case;
                }
            }
            other => panic!("{} {:?}: {other:?}", case.action, case.state),
        }
    }
    panic!("{} {:?} never ends", case.action, case.state);
}

/// What became of it, in the page's words.
async fn told(world: &World, case: &Case) -> String {
    let operation = world.operation(case.id).await;
    let waited = match &case.met {
        Met { held_up: 0, tried_again: false } => "",
        Met { held_up: 0, .. } => "tries again, ",
        _ => "waits, ",
    };
    let mut words = match operation.end() {
        Some(End::Succeeded { .. }) => {
            let touched = case.left(world).await != case.before;
            let how = if waited.is_empty() && !touched && is_power(case.action) { "already" } else { "done:" };
            format!("{waited}{how} {}", after(world, case).await)
        }
        Some(End::Failed(failure)) => format!("{waited}`{}`", failure.slug),
        Some(End::Stuck(failure)) => format!("{waited}stuck: `{}`", failure.slug),
        other => format!("{other:?}"),
    };
    if let Some(wrong) = misrecorded(world, case).await {
        words += &format!(" BUT {wrong}");
    }
    words
}

/// The others do more than their guest's tasks and configuration show.
fn is_power(action: &str) -> bool {
    ["start", "stop", "shutdown", "reboot", "suspend", "resume"].contains(&action)
}

async fn after(world: &World, case: &Case) -> &'static str {
    let state = world.container(case.container).await;
    match state.guest().map(|guest| guest.vmid.get()) {
        Some(vmid) if world.sim.world().is_running(vmid) => "running",
        Some(_) if state.power() == Power::Suspended => "suspended",
        Some(vmid) if world.sim.world().vmids().contains(&vmid) => "stopped",
        Some(_) => "gone",
        // The number of one that was deleted may be another's by now.
        None if case.action == "release" && world.sim.world().vmids().contains(&case.guest.vmid.get()) => "left there",
        None if case.left(world).await.is_of(case.container) => "still there",
        None => "gone",
    }
}

/// What the record says of the power of who is still there, and Proxmox doesn't; and what is left half done.
async fn misrecorded(world: &World, case: &Case) -> Option<String> {
    for id in case.of.into_iter().chain([case.container]) {
        let state = world.container(id).await;
        if let Some(change) = state.changing() {
            return Some(format!("{change:?} is still being made"));
        }
        let Some(guest) = state.guest() else { continue };
        let there = world.sim.world().vmids().contains(&guest.vmid.get());
        if there && (state.power() == Power::Running) != world.sim.world().is_running(guest.vmid.get()) {
            return Some(format!("is recorded as {:?}", state.power()));
        }
    }
    None
}

/// The cells of the page's table, by action and state.
fn documented() -> BTreeMap<(String, String), String> {
    let mut lines = PAGE.lines().filter(|line| line.starts_with('|')).map(|line| {
        let cells = line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned());
        cells.collect::<Vec<_>>()
    });
    let states = lines.by_ref().find(|cells| cells[0] == "Action").unwrap();
    assert_eq!(states[1..], State::ALL.map(|(word, _)| word.to_owned()));
    let rows: Vec<_> = lines.skip(1).take(ACTIONS.len()).collect();
    let actions: Vec<_> = rows.iter().map(|cells| cells[0].as_str()).collect();
    assert_eq!(actions, ACTIONS.map(|(word, _)| word));
    let cells = rows.iter().flat_map(|row| {
        states.iter().zip(row).skip(1).map(|(state, cell)| ((row[0].clone(), state.clone()), cell.clone()))
    });
    cells.collect()
}

#[test]
fn every_action_is_in_the_table_and_the_page_tells_how_long_is_waited() {
    documented();
    let missing = |name: &PipelineName| !ACTIONS.iter().any(|(_, pipeline)| pipeline == name);
    let missing: Vec<_> = PipelineName::ALL.into_iter().filter(missing).collect();
    assert_eq!(missing, [PipelineName::Create], "before it there is no guest");
    for (kind, what) in [(FailureKind::Locked, "lock"), (FailureKind::Unreachable, "host")] {
        let begun = now();
        let (mut at, mut tries) = (begun, 1);
        while let AfterFailure::Retry { at: next } = kind.after_step(tries, at) {
            (at, tries) = (next, tries + 1);
        }
        let wanted = format!("{} minutes for the {what}", (at - begun).num_minutes());
        assert!(PAGE.contains(&wanted), "{wanted:?} is not on the page");
    }
}
