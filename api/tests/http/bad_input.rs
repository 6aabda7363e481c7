use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestApp, answer, fields};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_field_has_its_limits() {
    let app = TestApp::start().await;
    let long = "a".repeat(64);
    for (field, value) in [
        ("hostname", json!("-web")),
        ("hostname", json!(long)),
        ("hostname", json!(7)),
        ("template", json!("nowhere")),
        ("template", json!("broken")),
        ("template", json!("../web")),
        ("cores", json!(0)),
        ("cores", json!(129)),
        ("cores", json!("two")),
        ("cores", json!(1.5)),
        ("memory_mb", json!(127)),
        ("memory_mb", json!(65_537)),
        ("swap_mb", json!(65_537)),
        ("swap_mb", json!(-1)),
        ("disk_gb", json!(0)),
        ("disk_gb", json!(10_241)),
        ("vmid", json!(99)),
        ("vmid", json!(1_000_000_000)),
        ("storage", json!("a b")),
        ("ssh_keys[0]", json!(["ssh-rsa nonsense"])),
        ("tags[0]", json!(["two words"])),
        ("tags[0]", json!(["gantry"])),
        ("packages[0]", json!(["nginx; reboot"])),
        ("scripts[0]", json!(["99-none.sh"])),
        ("scripts", json!("some")),
        ("root_password", json!("short")),
        ("root_password", json!("with:colon")),
        ("host", json!("nowhere")),
        ("inputs.NOBODY", json!({ "NOBODY": "asked" })),
        ("unprivileged", json!("yes")),
        ("colour", json!("red")),
    ] {
        let top = field.split(['[', '.']).next().unwrap();
        let mut body = json!({ "hostname": "web1", "template": "plain" });
        body[top] = value.clone();
        let (status, problem) = app.post("/v1/containers", &body).await;
        assert_eq!(status, 422, "{field} {value}: {problem}");
        assert_eq!(fields(&problem), [field], "{value}");
        let error = &problem["errors"][0];
        assert!(!error["fix"].as_str().unwrap().is_empty() && !error["problem"].as_str().unwrap().is_empty());
    }
    for (field, network) in [
        ("network.bridge", json!({ "bridge": "v m" })),
        ("network.vlan", json!({ "vlan": 4095 })),
        ("network.ipv4.address", json!({ "ipv4": { "address": "192.0.2.300/24" } })),
        ("network.ipv4.gateway", json!({ "ipv4": { "address": "192.0.2.3/24", "gateway": "198.51.100.1" } })),
        ("network.ipv4.mode", json!({ "ipv4": { "mode": "sometimes" } })),
        ("network.ipv4.mode", json!({ "ipv4": { "mode": "auto" } })),
        ("network.ipv6.address", json!({ "ipv6": { "mode": "static", "address": "192.0.2.3/24" } })),
        ("network.nameservers[0]", json!({ "nameservers": ["dns"] })),
        ("network.domain", json!({ "domain": "a..b" })),
        ("network", json!({ "ipv4": { "mode": "none" } })),
        ("network.mtu", json!({ "mtu": 9000 })),
    ] {
        let body = json!({ "hostname": "web1", "template": "plain", "network": network });
        let (status, problem) = app.post("/v1/containers", &body).await;
        assert_eq!((status, fields(&problem)), (422, vec![field.to_owned()]), "{problem}");
    }
    let (_, list) = app.get("/v1/containers").await;
    assert_eq!(list["items"], json!([]), "nothing is left behind");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_that_is_wrong_is_told_at_once() {
    let app = TestApp::start().await;
    let body = json!({ "hostname": "-", "template": "web", "cores": 0, "disk_gb": "big", "colour": 1, "inputs": { "MODE": "c", "ADMIN": "x" } });
    let (status, problem) = app.post("/v1/containers", &body).await;
    assert_eq!(status, 422);
    assert_eq!(fields(&problem), ["colour", "cores", "disk_gb", "hostname", "inputs.MODE", "inputs.SITE"]);
    let (_, empty) = app.post("/v1/containers", &json!({})).await;
    assert_eq!(fields(&empty), ["hostname", "template"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_not_be_read_is_a_problem_too() {
    let app = TestApp::start().await;
    let post = || app.ask(Method::POST, "/v1/containers");
    let deep = "[".repeat(10_000);
    for (body, status) in [("{", 400), ("[]", 400), ("", 400), ("{\"a\": \u{0}}", 400), (deep.as_str(), 400)] {
        let (got, problem) = answer(post().header("content-type", "application/json").body(body.to_owned())).await;
        assert_eq!((got, problem["type"].as_str()), (status, Some("/problems/malformed")), "{problem}");
    }
    let (status, problem) = answer(post().body("hostname=web")).await;
    assert_eq!((status, problem["type"].as_str()), (415, Some("/problems/unsupported-media-type")));
    let huge = json!({ "hostname": "a".repeat(1024 * 1024) });
    let (status, problem) = answer(post().json(&huge)).await;
    assert_eq!((status, problem["type"].as_str()), (413, Some("/problems/too-large")), "{problem}");
    let (status, _) = answer(post().header("content-type", "application/json").body(vec![0xff, 0xfe])).await;
    assert_eq!(status, 400);
    for query in ["limit=0", "limit=501", "limit=x", "cursor=zz", "sort=up", "colour=1", "lifecycle=dead", "host=1"] {
        let (status, problem): (u16, Value) = app.get(&format!("/v1/containers?{query}")).await;
        assert_eq!((status, problem["type"].as_str()), (422, Some("/problems/invalid")), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_is_one_containers() {
    let app = TestApp::start().await;
    let asked = |name: &str, network: Value| json!({ "hostname": name, "template": "plain", "network": network });
    let four = |address: &str| json!({ "ipv4": { "address": address } });
    let (status, first) = app.post("/v1/containers", &asked("one", four("192.0.2.7/24"))).await;
    assert_eq!(status, 202, "{first}");
    let six = json!({ "ipv4": { "mode": "none" }, "ipv6": { "address": "2001:db8::7/64" } });
    assert_eq!(app.post("/v1/containers", &asked("two", six)).await.0, 202);
    // However it is written.
    let again = json!({ "ipv4": { "mode": "none" }, "ipv6": { "address": "2001:DB8:0::0007/48" } });
    for (network, field) in [(four("192.0.2.7/28"), "network.ipv4.address"), (again, "network.ipv6.address")] {
        let (status, problem) = app.post("/v1/containers", &asked("three", network)).await;
        assert_eq!((status, fields(&problem)), (409, vec![field.to_owned()]), "{problem}");
        assert!(problem["holder"].as_str().unwrap().starts_with("/v1/containers/"), "{problem}");
    }
    // Another network is another matter, and nothing is left of what was refused.
    let elsewhere = json!({ "vlan": 12, "ipv4": { "address": "192.0.2.7/24" } });
    assert_eq!(app.post("/v1/containers", &asked("three", elsewhere)).await.0, 202);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_ask_for_one_address_one_gets_it() {
    let app = TestApp::start().await;
    let asked = (0..12).map(|n| {
        let network = json!({ "ipv4": { "address": "192.0.2.7/24" } });
        let body = json!({ "hostname": format!("web{n}"), "template": "plain", "network": network });
        let app = &app;
        async move { app.post("/v1/containers", &body).await.0 }
    });
    let mut answers = futures_util::future::join_all(asked).await;
    answers.sort_unstable();
    assert_eq!(answers, [vec![202], vec![409; 11]].concat());
}
