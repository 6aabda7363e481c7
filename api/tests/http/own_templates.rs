//! Templates of an account's own.

use base64::Engine as _;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestApp, answer};

fn files(description: &str) -> Value {
    json!({ "files": {
        "template.conf": format!("TEMPLATE_APP=Mine\nTEMPLATE_DESCRIPTION=\"{description}\"\nTEMPLATE_CPU=3\n"),
        "README.md": "# Mine\n",
        "container-configs/scripts/10-a.sh": "#!/bin/sh\necho a\n",
    } })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_makes_changes_uses_and_removes_templates_of_its_own() {
    let app = TestApp::start().await;
    let (shop, other) = (app.account("shop").await, app.account("other").await);
    let ann = app.somebody("ann", Some((&shop, "admin"))).await;
    let eve = app.somebody("eve", Some((&other, "admin"))).await;
    let put = async |token: &str, name: &str, body: &Value| {
        answer(app.as_of(token, Method::PUT, &format!("/v1/templates/{name}")).json(body)).await
    };
    let get = async |token: &str, path: &str| answer(app.as_of(token, Method::GET, path)).await;

    let (status, made) = put(&ann.token, "mine", &files("one")).await;
    assert_eq!((status, &made["own"], &made["description"]), (200, &json!(true), &json!("one")), "{made}");
    let (_, again) = put(&ann.token, "mine", &files("one")).await;
    assert_eq!(again["version"], made["version"]);
    let (_, changed) = put(&ann.token, "mine", &files("two")).await;
    assert_ne!(changed["version"], made["version"]);
    let (status, detail) = get(&ann.token, "/v1/templates/mine").await;
    assert_eq!((status, &detail["version"], &detail["scripts"]), (200, &changed["version"], &json!(["10-a.sh"])));
    assert!(detail["readme_html"].as_str().unwrap().contains("<h1>Mine"));
    let names = |list: &Value| -> Vec<String> {
        list["items"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&get(&ann.token, "/v1/templates").await.1), ["broken", "mine", "plain", "web"]);

    // Another account's are not there, neither to see nor to use nor to take away; the name is everybody's.
    assert_eq!(names(&get(&eve.token, "/v1/templates").await.1), ["broken", "plain", "web"]);
    for path in ["/v1/templates/mine", "/v1/templates/mine/files"] {
        assert_eq!(get(&eve.token, path).await.0, 404);
    }
    assert_eq!(answer(app.as_of(&eve.token, Method::DELETE, "/v1/templates/mine")).await.0, 404);
    let wish = json!({ "hostname": "own1", "template": "mine" });
    let create = async |token: &str| answer(app.as_of(token, Method::POST, "/v1/containers").json(&wish)).await;
    let (status, problem) = create(&eve.token).await;
    assert_eq!((status, problem["errors"][0]["field"].as_str()), (422, Some("template")), "{problem}");
    assert_eq!(put(&eve.token, "mine", &files("hers")).await.0, 200);

    let (status, accepted) = create(&ann.token).await;
    assert_eq!(status, 202, "{accepted}");
    let path = format!("/v1/containers/{}", accepted["container"].as_str().unwrap());
    let (_, container) = get(&ann.token, &path).await;
    assert_eq!((&container["cores"], &container["template"]), (&json!(3), &json!("mine")));
    let hash = changed["version"].as_str().unwrap();
    let stored = app.app.catalogue.version(hash).await.unwrap().expect("what a container was made from is kept");
    assert_eq!(stored.settings.description, "two");

    let (_, given) = get(&ann.token, "/v1/templates/mine/files").await;
    assert_eq!(given["files"], files("two")["files"]);
    let (status, copy) = put(&ann.token, "copy", &json!({ "packed": given["packed"] })).await;
    assert_eq!((status, &copy["description"]), (200, &json!("two")), "{copy}");
    assert_eq!(answer(app.as_of(&ann.token, Method::DELETE, "/v1/templates/mine")).await.0, 204);
    assert_eq!(answer(app.as_of(&ann.token, Method::DELETE, "/v1/templates/mine")).await.0, 404);
    assert_eq!(get(&ann.token, "/v1/templates/mine").await.0, 404);
    assert!(app.app.catalogue.version(hash).await.unwrap().is_some());
    assert_eq!(names(&get(&eve.token, "/v1/templates").await.1), ["broken", "mine", "plain", "web"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_not_be_used_is_refused_with_file_and_line() {
    let app = TestApp::start().await;
    let put = async |name: &str, body: &Value| {
        answer(app.ask(Method::PUT, &format!("/v1/templates/{name}")).json(body)).await
    };
    let (status, taken) = put("web", &files("x")).await;
    assert_eq!((status, taken["type"].as_str().unwrap().ends_with("not-possible")), (409, true), "{taken}");
    let base64 = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let mut broken = files("x");
    broken["files"]["template.conf"] = json!("TEMPLATE_APP=x\nTEMPLATE_CPU=$(nproc)\n");
    let mut stray = files("x");
    stray["files"]["../../etc/passwd"] = json!("x");
    let both = json!({ "files": {}, "packed": "" });
    for (body, field, problem) in [
        (&broken, "files.template.conf", "line 2: would run a command"),
        (&stray, "files.../../etc/passwd", "is no part of a template"),
        (&json!({}), "files", "is missing"),
        (&both, "packed", "stands beside files"),
        (&json!({ "files": {} }), "files.template.conf", "there is no template.conf"),
        (&json!({ "packed": "!" }), "packed", "is not Base64"),
        (&json!({ "packed": base64(b"no archive") }), "packed", "is no .tar.gz"),
    ] {
        let (status, told) = put("mine", body).await;
        let error = &told["errors"][0];
        assert_eq!((status, error["field"].as_str()), (422, Some(field)), "{told}");
        assert!(error["problem"].as_str().unwrap().contains(problem), "{problem}: {told}");
    }
    let large = json!({ "files": { "template.conf": "TEMPLATE_APP=x\n", "README.md": "x".repeat(1_100_000) } });
    assert_eq!(put("mine", &large).await.0, 413);
    assert_eq!(put(".hidden", &files("x")).await.0, 422);
    assert_eq!(app.get("/v1/templates/mine").await.0, 404, "nothing of it was kept");
}
