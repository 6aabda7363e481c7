//! How containers differ from their records, over HTTP.

use domain::container::Container;
use domain::drift::{Difference, Drift, Drifted, See};
use domain::orphan::{Orphan, Stray, Why};
use domain::vmid::{Vmid, VmidOfHost};
use domain::{HostId, Meta};
use serde_json::{Value, json};

use crate::support::TestApp;

/// As the sweep says it.
async fn seen(app: &TestApp, id: &str, differences: &[(Drifted, Value, Value)]) {
    let one = |(what, recorded, found): &(Drifted, Value, Value)| Difference {
        what: *what,
        recorded: recorded.clone(),
        found: found.clone(),
    };
    let see = See { account: None, differences: differences.iter().map(one).collect() };
    app.app.log.execute::<Drift>(id.parse().unwrap(), see, &(), Meta::system("sweep")).await.unwrap();
}

fn memory() -> (Drifted, Value, Value) {
    (Drifted::MemoryMb, json!(512), json!(2048))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_differs_is_shown_and_the_record_takes_it_over() {
    let app = TestApp::start().await;
    let id = app.ready("web1").await;
    let (_, list) = app.get("/v1/drift").await;
    assert_eq!(list["items"], json!([]));
    seen(&app, &id, &[(Drifted::Power, json!("running"), json!("stopped")), memory()]).await;
    let (status, list) = app.get("/v1/drift").await;
    assert_eq!(status, 200, "{list}");
    let one = &list["items"][0];
    assert_eq!((&one["hostname"], &one["container"]), (&json!("web1"), &json!(id)));
    assert_eq!(one["differences"][1], json!({ "what": "memory_mb", "recorded": 512, "found": 2048 }));
    let (_, detail) = app.get(&format!("/v1/containers/{id}")).await;
    assert_eq!(detail["drift"]["differences"], one["differences"]);

    let accept = one["links"]["accept"].as_str().unwrap();
    let (status, now) = app.post(accept, &json!({})).await;
    assert_eq!((status, &now["memory_mb"], &now["live"]["power"]), (200, &json!(2048), &json!("stopped")), "{now}");
    assert!(app.get(&format!("/v1/containers/{id}")).await.1["drift"].is_null());
    let (status, again) = app.post(accept, &json!({})).await;
    assert_eq!(status, 409, "{again}");
    assert!(again["detail"].as_str().unwrap().contains("no drift"), "{again}");
    let container = app.app.log.load::<Container>(id.parse().unwrap()).await.unwrap().state;
    assert_eq!(container.request().unwrap().spec.memory_mb, 2048);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_put_back_is_an_operation_and_what_can_not_be_says_why() {
    let app = TestApp::start().await;
    let id = app.ready("web1").await;
    let (accept, put_back) =
        (format!("/v1/containers/{id}/drift/accept"), format!("/v1/containers/{id}/drift/put-back"));
    seen(&app, &id, &[memory()]).await;
    let (status, operation) = app.post(&put_back, &json!({})).await;
    assert_eq!((status, &operation["kind"]), (202, &json!("put_back")), "{operation}");
    for path in [&accept, &put_back] {
        let (status, busy) = app.post(path, &json!({})).await;
        assert_eq!((status, &busy["holder"]), (409, &operation["links"]["self"]), "{busy}");
    }
    app.work(operation["id"].as_str().unwrap().parse().unwrap(), false).await;
    for (differences, accepts, puts_back) in [
        (vec![(Drifted::Guest, json!("pve1/101"), Value::Null)], "is gone", "is gone"),
        (vec![(Drifted::DiskGb, json!(4), json!(9))], "", "never shrink"),
        (vec![(Drifted::Node, json!("pve1"), json!("pve2"))], "", "moved to pve2"),
        (
            vec![(Drifted::Marker, json!(true), json!(false)), (Drifted::Hostname, json!("web1"), json!("x"))],
            "only be put back",
            "nobody can tell",
        ),
    ] {
        seen(&app, &id, &differences).await;
        for (path, words) in [(&put_back, puts_back), (&accept, accepts)] {
            let (status, answer) = app.post(path, &json!({})).await;
            assert_eq!(status, if words.is_empty() { 200 } else { 409 }, "{differences:?} {path} {answer}");
            assert!(answer["detail"].as_str().unwrap_or_default().contains(words), "{differences:?} {answer}");
        }
    }
    let missing = app.post("/v1/containers/0199a4c0-5f6e-7c3a-9d53-0d6b2f3c1a77/drift/accept", &json!({})).await;
    assert_eq!(missing.0, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orphans_are_listed_and_only_those_that_were_ours_removed() {
    let app = TestApp::start().await;
    let lost = app.ready("web1").await;
    seen(&app, &lost, &[(Drifted::Guest, json!("pve1/101"), Value::Null)]).await;
    let host = HostId::new(uuid::Uuid::now_v7());
    for (vmid, why) in [(105, Why::Removed), (106, Why::Unknown)] {
        let container = domain::ContainerId::new(uuid::Uuid::now_v7());
        let stray = Stray { node: "pve1".into(), hostname: format!("old{vmid}"), container, why };
        let id = VmidOfHost { host, vmid: Vmid::try_from(vmid).unwrap() };
        app.app.log.execute::<Orphan>(id, Some(stray), &(), Meta::system("sweep")).await.unwrap();
    }
    let (status, list) = app.get("/v1/orphans?sort=created_at").await;
    assert_eq!(status, 200, "{list}");
    assert_eq!(list["containers"][0]["container"], json!(lost));
    let [ours, others] = list["items"].as_array().unwrap().as_slice() else { panic!("{list}") };
    let (status, refused) = app.post(others["links"]["remove"].as_str().unwrap(), &json!({})).await;
    assert_eq!(status, 409, "{refused}");
    assert!(refused["detail"].as_str().unwrap().contains("another Gantry"), "{refused}");
    let remove = ours["links"]["remove"].as_str().unwrap();
    let (status, operation) = app.post(remove, &json!({})).await;
    assert_eq!((status, &operation["kind"]), (202, &json!("remove_orphan")), "{operation}");
    let (status, busy) = app.post(remove, &json!({})).await;
    assert_eq!((status, &busy["holder"]), (409, &operation["links"]["self"]), "{busy}");
    assert_eq!(app.post(&format!("/v1/orphans/{host}:999/remove"), &json!({})).await.0, 404);
}
