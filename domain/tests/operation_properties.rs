//! Whatever happens to an operation: folding never panics, the plan ends, percent never falls.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests say what they expect by failing")]

#[path = "operation_properties/engine.rs"]
mod engine;

use chrono::DateTime;
use domain::container::{Change, Rebuild, Scripts, Source, TemplateVersion};
use domain::operation::{
    Accepted, Command, Failure, FailureKind, Given, Operation, OperationCommand as C, OperationEvent, Status,
    WaitReason,
};
use domain::pipeline::{PipelineName, StepName};
use domain::plan::{Next, plan};
use domain::template::Take;
use domain::{Aggregate, ContainerId, Event};
use engine::{Engine, Fate, fate};
use proptest::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

const CONTAINER: ContainerId = ContainerId::new(Uuid::from_u128(1));

fn failure() -> Failure {
    Failure::new("broken", "It broke", "mend it")
}

fn command(pipeline: PipelineName, keep_on_failure: bool) -> Command {
    let container = CONTAINER;
    match pipeline {
        PipelineName::Create => Command::CreateContainer { container, keep_on_failure },
        PipelineName::Delete => Command::DeleteContainer { container, purge: false, keep_unreferenced: false },
        PipelineName::Resize => Command::ResizeContainer { container, change: Change::default() },
        PipelineName::Change => Command::ChangeContainer { container, change: Change::default() },
        PipelineName::RootPassword => {
            Command::SetRootPassword { container, password: domain::SealedId::new(Uuid::nil()) }
        }
        PipelineName::Suspend => Command::SuspendContainer { container },
        PipelineName::Resume => Command::ResumeContainer { container },
        PipelineName::Start => Command::StartContainer { container },
        PipelineName::Stop => Command::StopContainer { container },
        PipelineName::Shutdown => Command::ShutdownContainer { container, timeout_seconds: 60 },
        PipelineName::Reboot => Command::RebootContainer { container, timeout_seconds: 60 },
        PipelineName::Snapshot => Command::TakeSnapshot { container, name: "one".into(), description: None },
        PipelineName::Rollback => Command::RollBack { container, name: "one".into(), start: None },
        PipelineName::DeleteSnapshot => Command::DeleteSnapshot { container, name: "one".into() },
        PipelineName::Backup => Command::BackUp {
            container,
            storage: None,
            mode: domain::copy::BackupMode::Snapshot,
            notes: None,
            protected: false,
            schedule: None,
        },
        PipelineName::Restore => Command::RestoreBackup { container, backup: "one".into(), start: None },
        PipelineName::DeleteBackup => Command::DeleteBackup { container, backup: "one".into() },
        PipelineName::Clone => Command::CloneContainer { container, source: CONTAINER, full: true, snapshot: None },
        PipelineName::PutBack => Command::PutBack { container, change: Change::default(), power: None, marker: true },
        PipelineName::RemoveOrphan => Command::RemoveOrphan {
            container,
            host: domain::HostId::new(Uuid::nil()),
            node: "pve1".into(),
            vmid: domain::vmid::Vmid::try_from(100).unwrap(),
        },
        PipelineName::RestoreNew => Command::RestoreNew { container, source: CONTAINER, backup: "one".into() },
        PipelineName::Adopt => Command::AdoptGuest {
            container,
            host: domain::HostId::new(Uuid::nil()),
            node: "pve1".into(),
            vmid: domain::vmid::Vmid::try_from(100).unwrap(),
            account: None,
        },
        PipelineName::Release => Command::ReleaseContainer { container },
        PipelineName::Rebuild => Command::RebuildContainer {
            container,
            rebuild: Box::new(Rebuild {
                operation: domain::OperationId::new(Uuid::nil()),
                source: Source::Image("debian-12".into()),
                template: None,
                scripts: Scripts::All,
                root_password: None,
                inputs: None,
            }),
            backup_first: false,
        },
        PipelineName::Apply => Command::ApplyTemplate { container },
        PipelineName::Update => Command::UpdateContainer {
            container,
            from: TemplateVersion { name: "nginx".into(), hash: "old".into() },
            to: TemplateVersion { name: "nginx".into(), hash: "new".into() },
            take: Take::default(),
            without_snapshot: false,
            answers: None,
        },
    }
}

fn accepted() -> impl Strategy<Value = Command> {
    (prop::sample::select(PipelineName::ALL.to_vec()), any::<bool>()).prop_map(|(name, keep)| command(name, keep))
}

fn any_step() -> impl Strategy<Value = StepName> {
    let all: Vec<_> = PipelineName::ALL.iter().flat_map(|name| name.table().steps()).map(|spec| spec.name).collect();
    prop::sample::select(all)
}

fn any_kind() -> impl Strategy<Value = FailureKind> {
    prop::sample::select(FailureKind::ALL.to_vec())
}

/// Commands without any sense of what is due.
fn any_command() -> impl Strategy<Value = C> {
    prop_oneof![
        accepted().prop_map(|command| C::Accept(Accepted::new(command, None, None))),
        "[ab]".prop_map(|worker| C::Claim { worker }),
        any_step().prop_map(|step| C::StartStep { step, intent: json!({ "id": 1 }) }),
        any_step().prop_map(|step| C::SucceedStep { step, fact: Value::Null }),
        (any_step(), any_kind()).prop_map(|(step, kind)| C::FailStep { step, kind, failure: failure() }),
        Just(C::Wait { reason: WaitReason::Delay, until: None }),
        Just(C::Resume),
        Just(C::Cancel),
        Just(C::Retry),
        any_step().prop_map(|step| C::StartUndo { step }),
        any_step().prop_map(|step| C::FinishUndo { step }),
        (any_step(), any_kind()).prop_map(|(step, kind)| C::FailUndo { step, kind, failure: failure() }),
        Just(C::Succeed { summary: Value::Null }),
        Just(C::Fail),
        Just(C::FinishCancel),
        Just(C::GetStuck),
    ]
}

proptest! {
    #[test]
    fn folding_never_panics_and_what_is_decided_can_be_stored(
        first in accepted(),
        commands in prop::collection::vec(any_command(), 0..200),
    ) {
        let given = Given { now: DateTime::UNIX_EPOCH };
        let mut operation = Operation::default();
        for command in std::iter::once(C::Accept(Accepted::new(first, None, None))).chain(commands) {
            let before = operation.percent();
            for event in operation.decide(command, &given).unwrap_or_default() {
                let stored = event.encode().unwrap();
                prop_assert_eq!(&OperationEvent::decode(&stored.kind, stored.kind_version, &stored.data).unwrap(), &event);
                operation = operation.evolve(&event);
            }
            prop_assert!(operation.percent() >= before);
            let next = plan(operation.pipeline().unwrap(), &operation, given.now);
            prop_assert_eq!(next == Next::Done, operation.has_ended());
        }
    }

    #[test]
    fn folding_never_panics_on_any_order_of_events(
        first in accepted(),
        commands in prop::collection::vec(any_command(), 0..100),
        shuffle in any::<prop::sample::Selector>(),
    ) {
        let given = Given { now: DateTime::UNIX_EPOCH };
        let mut operation = Operation::default();
        let mut log = vec![];
        for command in std::iter::once(C::Accept(Accepted::new(first, None, None))).chain(commands) {
            for event in operation.decide(command, &given).unwrap_or_default() {
                operation = operation.evolve(&event);
                log.push(event);
            }
        }
        let wild: Vec<_> = (0..log.len()).map(|_| shuffle.select(&log).clone()).collect();
        let wild = Operation::fold(&wild);
        if let Some(pipeline) = wild.pipeline() {
            let next = plan(pipeline, &wild, given.now);
            prop_assert_eq!(next == Next::Done, wild.has_ended());
        }
    }

    #[test]
    fn the_plan_ends_and_percent_never_falls(
        command in accepted(),
        fates in prop::collection::vec(fate(), 0..300),
        ever in fate(),
        retries in 0..3u8,
    ) {
        let mut engine = Engine::accept(command);
        engine.run_until_it_ends(&fates, ever);
        for _ in 0..retries {
            if engine.operation.may_retry() {
                engine.must(C::Retry);
                engine.run_until_it_ends(&fates, ever);
            }
        }
        let pipeline = engine.operation.pipeline().unwrap();
        let status = engine.operation.status().unwrap();
        prop_assert!(!matches!(status, Status::Queued | Status::Running));
        if status == Status::Succeeded {
            prop_assert!(pipeline.steps().all(|spec| engine.operation.has_succeeded(spec.name)));
            prop_assert!((engine.shown - 100.0).abs() < 1e-9);
        }
        if status == Status::Cancelled || (status == Status::Failed && !engine.operation.keep_on_failure()) {
            let left = |spec: &&domain::pipeline::StepSpec| {
                spec.undo && engine.operation.step(spec.name).is_some_and(|run| run.state.left_something())
            };
            prop_assert!(pipeline.steps().find(left).is_none(), "left behind: {:?}", engine.operation);
        }
    }
}

#[test]
fn without_trouble_every_pipeline_succeeds() {
    for name in PipelineName::ALL {
        let mut engine = Engine::accept(command(name, false));
        engine.run_until_it_ends(&[], Fate::Works);
        assert_eq!(engine.operation.status(), Some(Status::Succeeded), "{name:?}");
    }
}
