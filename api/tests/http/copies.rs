//! Snapshots, backups, clones and schedules: what is asked wrongly is told by its field, and nothing is begun.

use platform::clock;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestApp, answer, fields, operation};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_told_by_its_field() {
    let app = TestApp::start().await;
    let id = app.ready("web1").await;
    let long = "a".repeat(901);
    let of = |what: &str| format!("/v1/containers/{id}/{what}");
    for (path, field, body) in [
        ("snapshots", "name", json!({})),
        ("snapshots", "name", json!({ "name": "1st" })),
        ("snapshots", "name", json!({ "name": "a b" })),
        ("snapshots", "name", json!({ "name": "a" })),
        ("snapshots", "name", json!({ "name": "current" })),
        ("snapshots", "name", json!({ "name": "x".repeat(41) })),
        ("snapshots", "name", json!({ "name": 5 })),
        ("snapshots", "description", json!({ "name": "ok", "description": "two\nlines" })),
        ("snapshots", "description", json!({ "name": "ok", "description": long })),
        ("snapshots", "vmstate", json!({ "name": "ok", "vmstate": true })),
        ("backups", "storage", json!({ "storage": "../etc" })),
        ("backups", "mode", json!({ "mode": "quick" })),
        ("backups", "notes", json!({ "notes": "{{vmid}}" })),
        ("backups", "notes", json!({ "notes": "a\\n" })),
        ("backups", "protected", json!({ "protected": "yes" })),
        ("backups", "compress", json!({ "compress": "zstd" })),
        ("clone", "hostname", json!({})),
        ("clone", "hostname", json!({ "hostname": "-" })),
        ("clone", "snapshot", json!({ "hostname": "web2", "snapshot": "a b" })),
        ("clone", "tags[0]", json!({ "hostname": "web2", "tags": ["a b"] })),
        ("clone", "network.bridge", json!({ "hostname": "web2", "network": { "bridge": "v m" } })),
        ("clone", "cores", json!({ "hostname": "web2", "cores": 2 })),
        ("backups/vzdump.tar/containers", "full", json!({ "hostname": "web2", "full": true })),
        ("backups/vzdump.tar/containers", "snapshot", json!({ "hostname": "web2", "snapshot": "one" })),
    ] {
        let (status, problem) = app.post(&of(path), &body).await;
        assert_eq!((status, fields(&problem)), (422, vec![field.to_owned()]), "{path} {body}: {problem}");
    }
    for (field, body) in [
        ("every", json!({})),
        ("every", json!({ "every": "year" })),
        ("at", json!({ "every": "day", "at": "24:00" })),
        ("at", json!({ "every": "day", "at": "2:30" })),
        ("at", json!({ "every": "day", "at": "noon" })),
        ("weekday", json!({ "every": "week" })),
        ("weekday", json!({ "every": "day", "weekday": "sun" })),
        ("weekday", json!({ "every": "week", "weekday": "someday" })),
        ("day", json!({ "every": "month", "day": 31 })),
        ("day", json!({ "every": "month" })),
        ("keep.last", json!({ "every": "day", "keep": { "last": 0 } })),
        ("keep.yearly", json!({ "every": "day", "keep": { "yearly": 1 } })),
        ("storage", json!({ "every": "day", "storage": "a b" })),
        ("notes", json!({ "every": "day", "notes": "a\nb" })),
    ] {
        let (status, problem) = answer(app.ask(Method::PUT, &of("schedules/nightly")).json(&body)).await;
        assert_eq!((status, fields(&problem)), (422, vec![field.to_owned()]), "{body}: {problem}");
    }
    let right = json!({ "every": "day" });
    let (status, problem) = answer(app.ask(Method::PUT, &of("schedules/1st")).json(&right)).await;
    assert_eq!((status, fields(&problem)), (422, vec!["name".to_owned()]), "{problem}");
    for path in ["snapshots/a%20b", "snapshots/x"] {
        assert_eq!(answer(app.ask(Method::DELETE, &of(path))).await.0, 404, "{path}");
    }
    assert_eq!(answer(app.ask(Method::POST, &of("snapshots/ok/rollback?start=maybe"))).await.0, 422);
    assert_eq!(app.get(&of("schedules")).await.1["items"], json!([]));
    let (_, list) = app.get("/v1/operations?status=queued,running").await;
    assert_eq!(list["items"], json!([]), "nothing was begun");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schedule_is_set_shown_changed_and_removed() {
    let app = TestApp::start().await;
    let id = app.ready("web1").await;
    let path = format!("/v1/containers/{id}/schedules");
    let set = |body: Value| answer(app.ask(Method::PUT, &format!("{path}/nightly")).json(&body));
    let (status, made) = set(json!({ "every": "day", "at": "02:30", "keep": { "last": 3 } })).await;
    assert_eq!((status, &made["name"], &made["at"]), (200, &json!("nightly"), &json!("02:30")), "{made}");
    assert!(made["next"].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap() > clock::now());
    set(json!({ "every": "week", "weekday": "sun", "at": "04:00" })).await;
    let (_, list) = app.get(&path).await;
    let [one] = list["items"].as_array().unwrap().as_slice() else { panic!("{list}") };
    assert_eq!((&one["every"], &one["weekday"], &one["keep"]["last"]), (&json!("week"), &json!("Sun"), &Value::Null));
    let gone = || answer(app.ask(Method::DELETE, &format!("{path}/nightly")));
    assert_eq!(gone().await.0, 204);
    assert_eq!(gone().await.0, 404);
    assert_eq!(app.get(&path).await.1["items"], json!([]));
    let nobody = format!("/v1/containers/{}/schedules", operation(&json!({ "id": uuid::Uuid::now_v7().to_string() })));
    assert_eq!(app.get(&nobody).await.0, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_cloned_is_nobody_elses_meanwhile() {
    let app = TestApp::start().await;
    let (id, other) = (app.ready("web1").await, app.ready("web9").await);
    let clone = async |from: &str, name: &str| {
        app.post(&format!("/v1/containers/{from}/clone"), &json!({ "hostname": name })).await
    };
    let (status, first) = clone(&id, "web2").await;
    assert_eq!(status, 202, "{first}");
    let stop = format!("/v1/containers/{id}/actions/stop");
    for (status, busy) in [app.post(&stop, &json!({})).await, clone(&id, "web3").await] {
        assert_eq!((status, &busy["holder"]), (409, &first["links"]["self"]), "{busy}");
    }
    assert_eq!(clone(&other, "web4").await.0, 202, "others are not held up");
    app.work(operation(&first), false).await;
    let (status, stopping) = app.post(&stop, &json!({})).await;
    assert_eq!(status, 202, "{stopping}");
    // And the other way round: who works on it keeps a clone away.
    let (status, busy) = clone(&id, "web5").await;
    assert_eq!((status, &busy["holder"]), (409, &stopping["links"]["self"]), "{busy}");
    app.work(operation(&stopping), false).await;
    // One that fails lets go, and takes hold again when it is retried.
    let (_, failing) = clone(&id, "web6").await;
    app.work(operation(&failing), true).await;
    app.fail_container(failing["container"].as_str().unwrap()).await;
    let (status, stopping) = app.post(&stop, &json!({})).await;
    assert_eq!(status, 202, "{stopping}");
    let retry = format!("/v1/operations/{}/retry", failing["id"].as_str().unwrap());
    assert_eq!(app.post(&retry, &json!({})).await.0, 409);
    app.work(operation(&stopping), false).await;
    assert_eq!(app.post(&retry, &json!({})).await.0, 202);
    assert_eq!(app.post(&stop, &json!({})).await.0, 409);
}
