//! The operation's rules, by example.
#![allow(clippy::unwrap_used, reason = "tests say what they expect by failing")]

use chrono::{DateTime, TimeDelta, Utc};
use domain::operation::{
    Accepted, AfterFailure, Command, Failure, FailureKind, Given, Operation, OperationCommand as C,
    OperationEvent as E, Status, StepState, WaitReason,
};
use domain::pipeline::{PipelineName, StepName as S, percent};
use domain::plan::{MOST_DEATHS, Next, plan};
use domain::testing::given;
use domain::{Aggregate, ContainerId};
use serde_json::{Value, json};
use uuid::Uuid;

const CONTAINER: ContainerId = ContainerId::new(Uuid::from_u128(1));

fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH
}

fn at() -> Given {
    Given { now: now() }
}

fn create(keep_on_failure: bool) -> E {
    E::Accepted(Accepted::new(Command::CreateContainer { container: CONTAINER, keep_on_failure }, None, None))
}

fn started(step: S) -> E {
    E::StepStarted { step, attempt: 1, intent: json!({ "id": step.as_str() }) }
}

fn succeeded(step: S) -> E {
    E::StepSucceeded { step, fact: Value::Null }
}

fn done(step: S) -> [E; 2] {
    [started(step), succeeded(step)]
}

fn failure() -> Failure {
    Failure::new("storage-full", "The storage is full", "free some space").because("500 no space")
}

fn failed(step: S) -> E {
    E::StepFailed { step, attempt: 1, failure_kind: FailureKind::Final, error: failure(), next: AfterFailure::GiveUp }
}

/// Leased, image there, and the guest's creation failed for good.
fn failing(keep_on_failure: bool) -> Vec<E> {
    let mut events = vec![create(keep_on_failure)];
    events.extend(done(S::LeaseVmid).into_iter().chain(done(S::EnsureImage)));
    events.extend([started(S::CreateGuest), failed(S::CreateGuest)]);
    events
}

fn undone(step: S) -> [E; 2] {
    [E::UndoStarted { step, attempt: 1 }, E::Undone { step }]
}

fn next(operation: &Operation) -> Next {
    plan(operation.pipeline().unwrap(), operation, now())
}

#[test]
fn an_operation_is_accepted_once() {
    let C::Accept(accepted) = accept() else { unreachable!() };
    given::<Operation>([]).when(accept(), &at()).then([E::Accepted(accepted)]);
    given::<Operation>([create(false)]).when(accept(), &at()).then_rejected(|no| {
        assert_eq!(no.to_string(), "accept: the operation has been accepted before");
    });
    given::<Operation>([]).when(C::Cancel, &at()).then_rejected(|no| {
        assert_eq!(no.to_string(), "cancel: there is no such operation");
    });
}

fn accept() -> C {
    C::Accept(Accepted::new(Command::StartContainer { container: CONTAINER }, None, None))
}

#[test]
fn only_the_step_that_is_due_can_start() {
    let intent = json!({ "vmid": 100 });
    given::<Operation>([create(false)])
        .when(C::StartStep { step: S::LeaseVmid, intent: intent.clone() }, &at())
        .then([E::StepStarted { step: S::LeaseVmid, attempt: 1, intent: intent.clone() }]);
    given::<Operation>([create(false)]).when(C::StartStep { step: S::StartGuest, intent }, &at()).then_rejected(|no| {
        assert_eq!(no.to_string(), "start start_guest: lease_vmid is due");
    });
}

#[test]
fn a_step_starts_again_after_another_worker_took_over_and_only_then() {
    let start = || C::StartStep { step: S::LeaseVmid, intent: Value::Null };
    let claimed = E::Claimed { worker: "b".into() };
    given::<Operation>([create(false), started(S::LeaseVmid)]).when(start(), &at()).then([]);
    let operation = given::<Operation>([create(false), started(S::LeaseVmid), claimed])
        .when(start(), &at())
        .then([E::StepStarted { step: S::LeaseVmid, attempt: 2, intent: Value::Null }]);
    assert_eq!(operation.intent(S::LeaseVmid), Some(&json!({ "id": "lease_vmid" })), "the chosen ids stay chosen");
}

#[test]
fn what_ends_its_workers_time_and_again_waits_for_an_operator() {
    let worker = |n: u32| E::Claimed { worker: format!("w{n}") };
    let again = |n: u32| [worker(n), E::StepStarted { step: S::LeaseVmid, attempt: n + 2, intent: Value::Null }];
    let mut events = vec![create(false), started(S::LeaseVmid)];
    for n in 0..MOST_DEATHS - 1 {
        events.extend(again(n));
    }
    assert_eq!(next(&Operation::fold(&events)), Next::Run(S::LeaseVmid));
    // One that put it down in order does not count, nor does who claims what nobody had begun again.
    let mut put_down = events.clone();
    put_down.extend([E::PutDown, worker(100), worker(101)]);
    assert_eq!(next(&Operation::fold(&put_down)), Next::Run(S::LeaseVmid));
    // Nor does one that comes back to it by itself.
    let mut back = events.clone();
    let turn = |n: u32| E::Claimed { worker: format!("w/{n}") };
    back[18] = turn(0);
    back.push(turn(1));
    assert_eq!(next(&Operation::fold(&back)), Next::Run(S::LeaseVmid));
    events.push(worker(99));
    let Next::Stuck(failure) = next(&Operation::fold(&events)) else { panic!("it goes on") };
    assert!(failure.slug == "workers-died" && failure.detail.contains("lease_vmid"), "{failure}");
    events.extend([E::Stuck { error: failure }, E::RetryRequested]);
    assert_eq!(next(&Operation::fold(&events)), Next::Run(S::LeaseVmid), "the operator has looked");
}

#[test]
fn a_failure_is_retried_later_and_waits_visibly() {
    let fail = C::FailStep { step: S::LeaseVmid, kind: FailureKind::Temporary, failure: failure() };
    let at_1 = now() + TimeDelta::seconds(1);
    let operation =
        given::<Operation>([create(false), started(S::LeaseVmid)]).when(fail, &at()).then([E::StepFailed {
            step: S::LeaseVmid,
            attempt: 1,
            failure_kind: FailureKind::Temporary,
            error: failure(),
            next: AfterFailure::Retry { at: at_1 },
        }]);
    let reason = WaitReason::RetryBackoff { step: S::LeaseVmid, attempt: 1 };
    assert_eq!(next(&operation), Next::Wait { reason, until: Some(at_1) });
    assert_eq!(plan(operation.pipeline().unwrap(), &operation, at_1), Next::Run(S::LeaseVmid));
}

#[test]
fn a_failed_operation_is_taken_down_backwards_then_failed() {
    let operation = Operation::fold(&failing(false));
    assert_eq!(next(&operation), Next::Undo(S::CreateGuest));
    let mut events = failing(false);
    events.extend(undone(S::CreateGuest));
    assert_eq!(next(&Operation::fold(&events)), Next::Undo(S::LeaseVmid), "the image stays");
    events.extend(undone(S::LeaseVmid));
    given::<Operation>(events).when(C::Fail, &at()).then([E::Failed { error: failure() }]);
}

#[test]
fn what_is_kept_on_failure_is_taken_down_when_cancelled() {
    assert_eq!(next(&Operation::fold(&failing(true))), Next::Failed(failure()));
    let cancelled = [create(true), started(S::LeaseVmid), E::CancelRequested];
    assert_eq!(next(&Operation::fold(&cancelled)), Next::Undo(S::LeaseVmid));
}

#[test]
fn a_retry_runs_again_what_was_undone_and_all_that_stood_on_it() {
    let mut events = failing(false);
    events.extend(undone(S::CreateGuest));
    events.extend(undone(S::LeaseVmid));
    events.push(E::Failed { error: failure() });
    let operation = given::<Operation>(events).when(C::Retry, &at()).then([E::RetryRequested]);
    assert_eq!(operation.status(), Some(Status::Queued));
    assert_eq!(next(&operation), Next::Run(S::LeaseVmid));
    assert_eq!(operation.intent(S::CreateGuest), Some(&json!({ "id": "create_guest" })));
    assert!(!operation.has_succeeded(S::EnsureImage));
}

#[test]
fn a_retry_of_what_was_kept_goes_on_at_the_step_that_failed() {
    let mut events = failing(true);
    events.extend([E::Failed { error: failure() }, E::RetryRequested]);
    let operation = Operation::fold(&events);
    assert_eq!(next(&operation), Next::Run(S::CreateGuest));
    let run = operation.step(S::CreateGuest).unwrap();
    assert_eq!((run.state, run.attempts, run.failures), (StepState::Pending, 1, 0));
}

#[test]
fn cancel_ends_the_waiting_and_says_why_when_it_comes_too_late() {
    let waiting = E::Waiting { reason: WaitReason::Task { upid: "UPID:x".into() }, until: None };
    let operation = given::<Operation>([create(false), started(S::LeaseVmid), waiting])
        .when(C::Cancel, &at())
        .then([E::CancelRequested]);
    assert_eq!(next(&operation), Next::Undo(S::LeaseVmid));
    given::<Operation>([create(false), E::CancelRequested]).when(C::Cancel, &at()).then([]);
    given::<Operation>([create(false), E::Succeeded { summary: Value::Null }])
        .when(C::Cancel, &at())
        .then_rejected(|no| assert_eq!(no.to_string(), "cancel: the operation has already succeeded"));
    given::<Operation>(failing(false)).when(C::Cancel, &at()).then_rejected(|no| {
        assert_eq!(no.to_string(), "cancel: the operation has failed and is being taken down already");
    });
    given::<Operation>([create(false), E::CancelRequested, E::Cancelled]).when(C::Retry, &at()).then_rejected(|no| {
        assert_eq!(no.to_string(), "retry: the operation is cancelled; only a failed one can be retried");
    });
}

#[test]
fn a_guest_being_destroyed_is_past_cancelling() {
    let accepted = E::Accepted(Accepted::new(
        Command::DeleteContainer { container: CONTAINER, purge: false, keep_unreferenced: false },
        None,
        None,
    ));
    let before: Vec<_> = [accepted].into_iter().chain(done(S::StopGuest)).collect();
    assert!(Operation::fold(&before).may_cancel());
    let after = before.into_iter().chain([started(S::DestroyGuest)]);
    given::<Operation>(after).when(C::Cancel, &at()).then_rejected(|no| {
        assert!(no.to_string().contains("destroy_guest can't be taken back"), "{no}");
    });
}

#[test]
fn an_undo_that_keeps_failing_waits_for_an_operator_and_goes_on_after_a_retry() {
    let undo_failed = E::UndoFailed {
        step: S::CreateGuest,
        attempt: 5,
        failure_kind: FailureKind::Final,
        error: failure(),
        next: AfterFailure::GiveUp,
    };
    let mut events = failing(false);
    events.extend([E::UndoStarted { step: S::CreateGuest, attempt: 5 }, undo_failed]);
    let stuck = given::<Operation>(events).when(C::GetStuck, &at()).then([E::Stuck { error: failure() }]);
    assert!(stuck.may_retry() && !stuck.may_cancel());
    let again = stuck.evolve(&E::RetryRequested);
    assert_eq!(next(&again), Next::Undo(S::CreateGuest), "it goes on taking down, not building");
}

#[test]
fn percent_follows_the_bands() {
    let table = PipelineName::Create.table();
    let mut operation = Operation::fold(&[create(false)]);
    assert!(percent(table, &operation, 0.0).abs() < 1e-9);
    for (phase, end) in table.phases.iter().zip([20.0, 35.0, 60.0, 90.0, 100.0]) {
        for step in phase.steps {
            operation = operation.evolve(&succeeded(step.name));
        }
        assert!((percent(table, &operation, 0.0) - end).abs() < 1e-9, "{}", phase.name);
    }
    operation.remember_percent(1000.0);
    assert!(percent(table, &operation, f64::NAN) <= 100.0);
}
