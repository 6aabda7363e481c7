//! Going on to another version of a template: who is behind, what is other, and what is accepted.

use domain::container::{Container, ContainerCommand, TemplateVersion};
use domain::{Aggregate as _, Meta};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestApp, answer, fields, operation};

/// Changes the template `plain`, and waits until that is seen.
async fn changed(app: &TestApp, readme: &str) -> String {
    let before = app.get("/v1/templates/plain").await.1["version"].clone();
    std::fs::write(app.directory.path().join("templates/plain/README.md"), readme).unwrap();
    loop {
        let now = app.get("/v1/templates/plain").await.1["version"].clone();
        if now != before {
            return now.as_str().unwrap().to_owned();
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

async fn behind(app: &TestApp) -> Vec<String> {
    let (status, list) = app.get("/v1/containers?behind=true").await;
    assert_eq!(status, 200, "{list}");
    list["items"].as_array().unwrap().iter().map(|c| c["hostname"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_is_stored_by_the_first_who_needs_it_and_not_by_a_request_that_is_repeated() {
    let app = TestApp::start().await;
    let wish = json!({ "hostname": "web1", "template": "plain" });
    let ask = || answer(app.ask(Method::POST, "/v1/containers").header("idempotency-key", "k").json(&wish));
    assert_eq!(ask().await.0, 202);
    let newest = changed(&app, "# Other\n").await;
    assert_eq!(ask().await.0, 202);
    assert!(app.app.catalogue.version(&newest).await.unwrap().is_none(), "nobody has it yet");
    let (status, told) = app.post("/v1/containers", &json!({ "hostname": "web2", "template": "plain" })).await;
    assert_eq!(status, 202, "{told}");
    assert!(app.app.catalogue.version(&newest).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_behind_is_told_with_what_is_other_and_may_go_on() {
    let app = TestApp::start().await;
    let container = app.ready("web1").await;
    let update = format!("/v1/containers/{container}/update");
    assert_eq!(behind(&app).await, Vec::<String>::new());
    let (status, problem) = app.post(&update, &json!({})).await;
    assert_eq!((status, problem["type"].as_str()), (409, Some("/problems/not-possible")), "{problem}");

    let (status, problem) = app.post(&update, &json!({ "colour": 1 })).await;
    assert_eq!((status, fields(&problem)), (422, vec!["colour".to_owned()]), "what is wrong is told first: {problem}");

    let newest = changed(&app, "# Other\n").await;
    app.ready("web2").await;
    assert_eq!(behind(&app).await, ["web1"]);
    let (_, of) = app.get(&format!("/v1/containers/{container}/template")).await;
    let other = json!([{ "part": "readme", "name": "README.md", "change": "changed" }]);
    assert_eq!((&of["behind"], &of["differences"], &of["newest"]), (&json!(true), &other, &json!(newest)));
    let first = of["version"].as_str().unwrap().to_owned();
    assert_eq!(of["history"].as_array().unwrap().len(), 1, "{of}");
    let (_, versions) = app.get("/v1/templates/plain/versions").await;
    let counts: Vec<_> =
        versions["items"].as_array().unwrap().iter().map(|v| (&v["newest"], &v["containers"])).collect();
    assert_eq!(counts, [(&json!(true), &json!(1)), (&json!(false), &json!(1))]);
    let (_, list) = app.get(&format!("/v1/templates/plain/difference?from={first}")).await;
    assert_eq!(list["items"], other);
    for path in [format!("/v1/templates/web/difference?from={first}"), "/v1/templates/plain/difference?from=x".into()] {
        assert_eq!(app.get(&path).await.0, 404, "{path}");
    }

    let (status, problem) = app.post(&update, &json!({ "take": { "etc/x": "theirs" } })).await;
    assert_eq!((status, fields(&problem)), (422, vec!["take".to_owned()]), "{problem}");
    let (status, problem) = app.post(&update, &json!({ "take": { "/etc/x": "mine" } })).await;
    assert_eq!(status, 422, "{problem}");
    let (status, accepted) = app.post(&update, &json!({ "take": { "*": "ours", "/etc/x": "theirs" } })).await;
    assert_eq!((status, accepted["kind"].as_str()), (202, Some("update")), "{accepted}");
    assert_eq!(app.post(&update, &json!({})).await.0, 409, "it is at work");
    app.work(operation(&accepted), false).await;

    // As the last step says it.
    let to = TemplateVersion { name: "plain".into(), hash: newest.clone() };
    let command = ContainerCommand::RecordTemplate { from: None, to, credentials: vec![], answers: None };
    let id = container.parse().unwrap();
    app.app.log.execute::<Container>(id, command, &(), Meta::system("worker")).await.unwrap();
    assert_eq!(behind(&app).await, Vec::<String>::new());
    let (_, of) = app.get(&format!("/v1/containers/{container}/template")).await;
    let had: Vec<_> = of["history"].as_array().unwrap().iter().map(|one| one["version"].as_str().unwrap()).collect();
    assert_eq!(had, [newest.as_str(), first.as_str()]);
    // The version before is kept, wherever the tree has got to: it can be gone back to.
    let (status, back) = app.post(&update, &json!({ "version": first })).await;
    assert_eq!(status, 202, "{back}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_without_a_template_has_nothing_to_apply() {
    let app = TestApp::start().await;
    let (_, made) = app.post("/v1/containers", &json!({ "hostname": "bare", "image": "debian-12" })).await;
    let container = made["container"].as_str().unwrap().to_owned();
    app.make_ready(&container, operation(&made)).await;
    for path in ["actions/apply", "update"] {
        let (status, problem) = app.post(&format!("/v1/containers/{container}/{path}"), &json!({})).await;
        assert_eq!((status, problem["type"].as_str()), (409, Some("/problems/not-possible")), "{problem}");
    }
    assert_eq!(app.get(&format!("/v1/containers/{container}/template")).await.0, 409);
    let nobody = Container::stream("01990000-0000-7000-8000-000000000001".parse().unwrap()).id().to_owned();
    assert_eq!(app.post(&format!("/v1/containers/{nobody}/update"), &Value::Object(Default::default())).await.0, 404);
}
