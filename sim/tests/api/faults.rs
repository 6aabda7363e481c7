use sim::{Effect, Rule};

use crate::caller::{As, Caller, dry};

#[tokio::test]
async fn a_call_that_is_reset_after_its_effect_has_had_it() {
    let host = Caller::new(dry()).await;
    let create = || host.request(&As::Root, "POST", &host.url("/pools"));
    host.sim.faults().add(Rule::once("POST /pools", Effect::ResetBefore));
    assert!(create().form(&[("poolid", "a1")]).send().await.is_err());
    assert_eq!(host.get("/pools").await.data(), serde_json::json!([]));
    host.sim.faults().add(Rule::once("POST /pools", Effect::ResetAfter));
    assert!(create().form(&[("poolid", "a1")]).send().await.is_err());
    assert_eq!(host.get("/pools").await.data()[0]["poolid"], "a1");
    host.sim.faults().add(Rule::once(
        "GET /pools",
        Effect::Proxy { status: 596, reason: "Connection timed out".into(), done: false },
    ));
    assert_eq!(host.get("/pools").await.line(), "596 Connection timed out");
    host.sim.stop().await;
}

#[tokio::test]
async fn tasks_fail_warn_and_hang_on_demand() {
    let host = Caller::new(dry()).await;
    host.container(100, "local-btrfs", "x").await;
    let start = "POST /nodes/*/lxc/*/status/start";
    host.sim.faults().add(Rule::once(start, Effect::TaskFails("startup for container '100' failed".into())));
    let upid = host.call("POST", "/nodes/pve1/lxc/100/status/start", &[]).await.data();
    assert_eq!(host.wait(&upid).await, "startup for container '100' failed");
    host.sim.faults().add(Rule::once(start, Effect::TaskHangs));
    let upid = host.call("POST", "/nodes/pve1/lxc/100/status/start", &[]).await.data();
    let path = format!("/nodes/pve1/tasks/{}", upid.as_str().unwrap());
    assert_eq!(host.get(&format!("{path}/status")).await.data()["status"], "running");
    assert_eq!(host.call("DELETE", &path, &[]).await.status, 200);
    assert_eq!(host.wait(&upid).await, "unexpected status");
    host.sim.faults().add(Rule::once(start, Effect::TaskWarns(2)));
    let upid = host.call("POST", "/nodes/pve1/lxc/100/status/start", &[]).await.data();
    assert_eq!(host.wait(&upid).await, "WARNINGS: 2");
    host.sim.faults().add(Rule { vmid: Some(100), ..Rule::once("", Effect::LockTimeout) });
    let upid = host.call("POST", "/nodes/pve1/lxc/100/status/stop", &[]).await.data();
    assert_eq!(host.wait(&upid).await, "can't lock file '/run/lock/lxc/pve-config-100.lock' - got timeout");
    host.sim.stop().await;
}

#[tokio::test]
async fn rules_come_from_other_processes_too() {
    let host = Caller::new(dry()).await;
    let url = format!("{}/sim/faults", host.sim.url());
    let add = host.request(&As::Nobody, "POST", &url).header("Authorization", "Bearer gantry-sim");
    let got = host
        .send(add.body(r#"{"call": "GET /version", "effect": {"status": {"status": 503, "reason": "later"}}}"#))
        .await;
    assert_eq!(got.status, 200, "{}", got.body);
    assert_eq!(host.get("/version").await.line(), "503 later");
    host.sim.faults().clear();
    assert_eq!(host.get("/version").await.status, 200);
    host.sim.stop().await;
}
