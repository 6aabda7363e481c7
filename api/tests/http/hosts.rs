use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestApp, answer, fields};

fn host() -> Value {
    json!({
        "name": "pve", "addresses": ["pve1.example.org:8006"],
        "token": { "id": "gantry@pve!main", "secret": "token-secret-canary" },
        "ssh": { "private_key": "ssh-key-canary" }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_is_registered_pinned_and_named_in_wishes() {
    let app = TestApp::start().await;
    let (status, body) = app.post("/v1/hosts", &host()).await;
    assert_eq!(status, 201, "{body}");
    assert!(!body.to_string().contains("canary"));
    let id = body["id"].as_str().unwrap().to_owned();
    assert_eq!((body["ssh"]["user"].as_str(), body["limits"]["per_node"].as_u64()), (Some("root"), Some(8)));
    let (status, problem) = app.post("/v1/hosts", &host()).await;
    assert_eq!((status, fields(&problem)), (422, vec!["name".to_owned()]));

    let pin = ["AB"; 32].join(":");
    let (status, body) = app.post(&format!("/v1/hosts/{id}/pin"), &json!({ "fingerprint": pin })).await;
    assert_eq!((status, body["fingerprint"].as_str()), (200, Some(pin.as_str())));
    for wrong in [json!({}), json!({ "fingerprint": "AB" }), json!({ "fingerprint": 5 })] {
        let (status, problem) = app.post(&format!("/v1/hosts/{id}/pin"), &wrong).await;
        assert_eq!((status, fields(&problem)), (422, vec!["fingerprint".to_owned()]), "{wrong}");
    }
    let ssh = json!({ "pins": { "pve2.example.org:8006": pin }, "ssh": { "nodes": { "pve2": { "address": "192.0.2.2:22", "host_key": "SHA256:x" } } } });
    let (status, body) = app.post(&format!("/v1/hosts/{id}/pin"), &ssh).await;
    assert_eq!(
        (status, &body["fingerprint"], &body["pins"]),
        (200, &json!(pin), &ssh["pins"]),
        "what was not named stays"
    );
    assert_eq!(body["ssh"]["nodes"], ssh["ssh"]["nodes"]);
    let nowhere = json!({ "ssh": { "nodes": { "pve2": { "address": "a b", "host_key": "SHA256:x" } } } });
    let (status, problem) = app.post(&format!("/v1/hosts/{id}/pin"), &nowhere).await;
    assert_eq!((status, fields(&problem)), (422, vec!["ssh.nodes.pve2.address".to_owned()]));
    let (_, list) = app.get("/v1/hosts?name=pve").await;
    assert_eq!(list["items"][0]["id"], id.as_str());
    assert_eq!(app.get(&format!("/v1/hosts/{id}")).await.0, 200);
    for (name, by) in [("a", "pve"), ("b", id.as_str())] {
        let wish = json!({ "hostname": name, "template": "plain", "host": by, "node": "pve1" });
        assert_eq!(app.post("/v1/containers", &wish).await.0, 202);
    }
    let (status, problem) =
        app.post("/v1/containers", &json!({ "hostname": "c", "template": "plain", "node": "pve1" })).await;
    assert_eq!((status, fields(&problem)), (422, vec!["host".to_owned()]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_told_twice_under_one_key_is_one_host() {
    let app = TestApp::start().await;
    let ask = || answer(app.ask(Method::POST, "/v1/hosts").header("idempotency-key", "h").json(&host()));
    let (first, second) = (ask().await, ask().await);
    assert_eq!((first.0, second.0, &first.1["id"]), (201, 201, &second.1["id"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_is_wrong_with_a_host_is_told_at_once() {
    let app = TestApp::start().await;
    let wrong = json!({ "addresses": ["https://x"], "token": { "id": "root" }, "ssh": { "port": 0, "private_key": "k" }, "limits": { "per_node": 0 }, "x": 1 });
    let (status, problem) = app.post("/v1/hosts", &wrong).await;
    assert_eq!(status, 422);
    assert_eq!(
        fields(&problem),
        ["addresses[0]", "limits.per_node", "name", "ssh.port", "token.id", "token.secret", "x"]
    );
}
