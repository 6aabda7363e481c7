use domain::container::Power;
use platform::clock;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestApp, answer, fields, operation};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wish_is_accepted_with_the_templates_defaults() {
    let app = TestApp::start().await;
    let wish = json!({
        "hostname": "Web1", "template": "web", "memory_mb": 1024, "inputs": { "SITE": "shop", "ADMIN": "hunter22" },
        "network": { "ipv4": { "address": "192.0.2.10/24", "gateway": "192.0.2.1" }, "vlan": 7 }, "tags": ["Blue"]
    });
    let response = app.ask(Method::POST, "/v1/containers").json(&wish).send().await.unwrap();
    assert_eq!(response.status(), 202);
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    let body: Value = response.json().await.unwrap();
    assert_eq!(location, format!("/v1/operations/{}", body["id"].as_str().unwrap()));
    assert_eq!((body["status"].as_str(), body["kind"].as_str()), (Some("queued"), Some("create")));
    assert_eq!(body["root_password"].as_str().unwrap().len(), 24);
    assert_eq!((&body["may"]["cancel"], &body["may"]["retry"]), (&json!(true), &json!(false)));

    let (status, container) = app.get(&format!("/v1/containers/{}", body["container"].as_str().unwrap())).await;
    assert_eq!(status, 200);
    assert_eq!((container["hostname"].as_str(), &container["tags"]), (Some("web1"), &json!(["blue"])));
    let sizes = ["cores", "memory_mb", "disk_gb"].map(|field| container[field].as_u64().unwrap());
    assert_eq!(sizes, [2, 1024, 5], "what was asked, and what the template says");
    assert_eq!(container["network"]["ipv4"]["address"], "192.0.2.10/24");
    let hash = container["template_version"].as_str().unwrap();
    assert!(app.app.catalogue.version(hash).await.unwrap().is_some(), "the version is kept");
    assert_eq!(app.app.queue.depth().await.unwrap().queued, 1, "and a worker is called");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_with_one_name_one_wins_and_the_other_is_told_who() {
    let app = TestApp::start().await;
    let wish = json!({ "hostname": "web1", "template": "plain" });
    let (one, two) = tokio::join!(app.post("/v1/containers", &wish), app.post("/v1/containers", &wish));
    let (won, lost) = if one.0 == 202 { (one, two) } else { (two, one) };
    assert_eq!((won.0, lost.0), (202, 409), "{won:?} {lost:?}");
    assert_eq!(lost.1["holder"], format!("/v1/containers/{}", won.1["container"].as_str().unwrap()));
    assert_eq!(fields(&lost.1), ["hostname"]);
    let (_, operations) = app.get("/v1/operations").await;
    assert_eq!(operations["items"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_key_and_body_get_the_same_answer() {
    let app = TestApp::start().await;
    let wish = json!({ "hostname": "web1", "template": "plain" });
    let ask = |body: &Value| answer(app.ask(Method::POST, "/v1/containers").header("idempotency-key", "k1").json(body));
    let (status, first) = ask(&wish).await;
    assert_eq!(status, 202);
    app.work(operation(&first), true).await;
    assert_eq!(ask(&wish).await, (202, first.clone()), "also when it has gone on since");
    let (status, other) = ask(&json!({ "hostname": "web2", "template": "plain" })).await;
    assert_eq!((status, other["type"].as_str()), (422, Some("/problems/idempotency-mismatch")));
    let many = futures_util::future::join_all((0..20).map(|_| ask(&wish))).await;
    assert!(many.iter().all(|answer| *answer == (202, first.clone())));
    let (_, list) = app.get("/v1/containers").await;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_container_has_one_operation_at_a_time() {
    let app = TestApp::start().await;
    let (container, create) = app.create("web1").await;
    let path = format!("/v1/containers/{container}");
    let (status, problem) = answer(app.ask(Method::DELETE, &path)).await;
    assert_eq!((status, problem["type"].as_str()), (409, Some("/problems/busy")));
    assert_eq!(problem["holder"], format!("/v1/operations/{create}"));
    app.work(create, false).await;
    let many = futures_util::future::join_all((0..8).map(|_| answer(app.ask(Method::DELETE, &path)))).await;
    let won: Vec<_> = many.iter().filter(|(status, _)| *status == 202).collect();
    assert_eq!(won.len(), 1, "{many:?}");
    assert!(many.iter().filter(|(status, _)| *status == 409).all(|(_, p)| p["type"] == "/problems/busy"));
    assert_eq!(won[0].1["kind"], "delete");
    let (status, _) = answer(app.ask(Method::DELETE, &format!("/v1/containers/{create}"))).await;
    assert_eq!(status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_refuses_before_anything_is_written() {
    let app = TestApp::with(1).await;
    let (_, first) = app.create("web1").await;
    let response = app.ask(Method::POST, "/v1/containers").json(&json!({ "hostname": "web2", "template": "plain" }));
    let response = response.send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.headers()["retry-after"].to_str().unwrap()), (503, "5"));
    assert_eq!(response.json::<Value>().await.unwrap()["type"], "/problems/queue-full");
    let (_, list) = app.get("/v1/operations").await;
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "{first}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_prefers_to_wait_gets_the_end() {
    let app = TestApp::start().await;
    let wish = json!({ "hostname": "web1", "template": "plain" });
    let (status, _) = answer(app.ask(Method::POST, "/v1/containers").header("prefer", "wait=0").json(&wish)).await;
    assert_eq!(status, 202, "no longer than asked");
    let wish = json!({ "hostname": "web2", "template": "plain" });
    let waiting = answer(app.ask(Method::POST, "/v1/containers").header("prefer", "wait=50").json(&wish));
    let working = async {
        // The newest one, as soon as it is there.
        let id = loop {
            let (_, list) = app.get("/v1/operations?limit=1").await;
            let (_, container) = app.get(list["items"][0]["links"]["container"].as_str().unwrap()).await;
            if container["hostname"] == "web2" {
                break operation(&list["items"][0]);
            }
        };
        app.work(id, false).await;
    };
    let ((status, body), ()) = tokio::join!(waiting, working);
    assert_eq!((status, body["status"].as_str()), (200, Some("succeeded")), "{body}");
    assert_eq!((&body["percent"], &body["summary"]["url"]), (&json!(100), &json!("http://x")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_filtered_and_paged_and_show_what_proxmox_says() {
    let app = TestApp::start().await;
    let mut ids = Vec::new();
    for n in 0..7 {
        ids.push(app.create(&format!("web{n}")).await.0);
    }
    let seen_at = clock::now() - chrono::TimeDelta::seconds(90);
    let live = api::live::Live {
        power: Power::Running,
        node: "pve2".into(),
        cpu: Some(0.5),
        memory_bytes: Some(7),
        disk_bytes: None,
        uptime_seconds: Some(3),
        lock: None,
        seen_at,
    };
    app.app.live.saw([(ids[0].parse().unwrap(), live)]);
    let (mut seen, mut path) = (Vec::new(), "/v1/containers?limit=3&sort=created_at".to_owned());
    loop {
        let (_, page) = app.get(&path).await;
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/containers?limit=3&sort=created_at&cursor={next}");
    }
    assert_eq!(seen, ids);
    let (_, found) = app.get("/v1/containers?hostname=web3&lifecycle=creating,ready").await;
    assert_eq!(
        (found["items"].as_array().unwrap().len(), found["items"][0]["id"].as_str()),
        (1, Some(ids[3].as_str()))
    );
    let (_, none) = app.get("/v1/containers?lifecycle=removed").await;
    assert_eq!(none["items"], json!([]));
    let (_, first) = app.get(&format!("/v1/containers/{}", ids[0])).await;
    assert_eq!((first["live"]["power"].as_str(), first["live"]["source"].as_str()), (Some("running"), Some("proxmox")));
    assert!(first["live"]["age_seconds"].as_f64().unwrap() >= 90.0 && first["node"] == "pve2");
    let (_, other) = app.get(&format!("/v1/containers/{}", ids[1])).await;
    assert_eq!((other["live"]["source"].as_str(), other["live"]["power"].as_str()), (Some("gantry"), Some("unknown")));
}
