//! Making a container anew: what is accepted, what stays of what was said before, and who is told what when it is not.

use domain::container::{Container, ContainerCommand};
use domain::operation::{Command, Operation};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestApp, answer, fields, operation};

async fn rebuild(app: &TestApp, container: &str, body: &Value) -> (u16, Value) {
    app.post(&format!("/v1/containers/{container}/rebuild"), body).await
}

async fn says(app: &TestApp, container: &str, command: ContainerCommand) {
    let meta = domain::Meta::system("worker");
    app.app.log.execute::<Container>(container.parse().unwrap(), command, &(), meta).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_template_at_the_same_version_with_the_same_password_unless_it_is_said() {
    let app = TestApp::start().await;
    let container = app.ready("web1").await;
    let had = app.get(&format!("/v1/containers/{container}")).await.1;
    let (status, accepted) = rebuild(&app, &container, &json!({ "backup_first": true })).await;
    assert_eq!((status, accepted["kind"].as_str()), (202, Some("rebuild")), "{accepted}");
    assert_eq!(accepted["container"], json!(container));
    assert!(accepted["root_password"].is_null(), "the password that it has stays");
    let state = app.app.log.load::<Operation>(operation(&accepted)).await.unwrap().state;
    let Some(Command::RebuildContainer { rebuild: wanted, backup_first: true, .. }) =
        state.accepted().map(|accepted| &accepted.command)
    else {
        panic!("{state:?}")
    };
    let request = app.app.log.load::<Container>(container.parse().unwrap()).await.unwrap().state;
    let request = request.request().unwrap();
    assert_eq!((&wanted.template, wanted.root_password), (&request.template, request.root_password));
    let (status, problem) = rebuild(&app, &container, &json!({})).await;
    assert_eq!((status, &problem["holder"]), (409, &accepted["links"]["self"]), "{problem}");
    assert_eq!(app.get(&format!("/v1/containers/{container}")).await.1["template_version"], had["template_version"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_told_by_its_fields_and_nothing_is_accepted() {
    let app = TestApp::start().await;
    let container = app.ready("web1").await;
    for (body, wrong) in [
        (json!({ "template": "none" }), "template"),
        (json!({ "template": "plain", "image": "debian-12" }), "image"),
        (json!({ "image": "debian-12", "version": "current" }), "version"),
        (json!({ "image": "" }), "image"),
        (json!({ "version": "newest" }), "version"),
        (json!({ "scripts": ["none-such"] }), "scripts[0]"),
        (json!({ "inputs": { "NOBODY_ASKS": "x" } }), "inputs.NOBODY_ASKS"),
        (json!({ "root_password": "short" }), "root_password"),
        (json!({ "backup_first": "yes" }), "backup_first"),
        (json!({ "cores": 2 }), "cores"),
    ] {
        let (status, problem) = rebuild(&app, &container, &body).await;
        assert_eq!((status, fields(&problem).join(" ").as_str()), (422, wrong), "{body}: {problem}");
        let (status, planned) = app.post(&format!("/v1/containers/{container}/rebuild?dry_run=true"), &body).await;
        assert_eq!((status, fields(&planned)), (422, fields(&problem)), "a plan tells the same");
    }
    assert_eq!(rebuild(&app, &uuid::Uuid::nil().to_string(), &json!({})).await.0, 404);
    assert_eq!(app.get("/v1/operations").await.1["items"].as_array().unwrap().len(), 1, "only its create");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_whose_create_failed_is_not_made_anew_and_one_whose_rebuild_failed_is() {
    let app = TestApp::start().await;
    let (container, create) = app.create("web1").await;
    let (status, problem) = rebuild(&app, &container, &json!({})).await;
    assert_eq!((status, &problem["holder"]), (409, &json!(format!("/v1/operations/{create}"))), "{problem}");
    app.work(create, true).await;
    app.fail_container(&container).await;
    let (status, problem) = rebuild(&app, &container, &json!({})).await;
    assert_eq!((status, problem["type"].as_str()), (409, Some("/problems/not-possible")), "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("retry"), "{problem}");

    let container = app.ready("web2").await;
    let first = operation(&rebuild(&app, &container, &json!({})).await.1);
    app.work(first, true).await;
    says(&app, &container, ContainerCommand::BeginRebuild(first)).await;
    says(&app, &container, ContainerCommand::RecordGuestRemoved).await;
    app.fail_container(&container).await;
    let (status, accepted) = rebuild(&app, &container, &json!({ "image": "debian-12" })).await;
    assert_eq!(status, 202, "{accepted}");
    assert_eq!(app.get(&format!("/v1/containers/{container}")).await.1["lifecycle"], "failed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_key_is_one_rebuild_and_its_password_is_told_to_nobody_else() {
    let app = TestApp::start().await;
    let container = app.ready("web1").await;
    let path = format!("/v1/containers/{container}/rebuild");
    let wish = json!({ "root_password": "correct horse battery" });
    let ask = || answer(app.ask(Method::POST, &path).header("idempotency-key", "k").json(&wish));
    let first = ask().await;
    assert_eq!(first.0, 202, "{}", first.1);
    assert_eq!(ask().await, first);
    let events = app.app.log.read(domain::Position(0), 500).await.unwrap();
    let all: String = events.iter().map(|event| event.data.to_string()).collect();
    assert!(!all.contains("correct horse"), "a password stands in the log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plans_of_a_resize_and_a_rebuild_tell_the_quota_and_write_nothing() {
    let app = TestApp::start().await;
    let shop = app.account("shop").await;
    answer(app.ask(Method::PUT, &format!("/v1/accounts/{shop}/quota")).json(&json!({ "cores": 4 }))).await;
    let member = app.somebody("ann", Some((&shop, "member"))).await;
    let wish = json!({ "hostname": "web1", "template": "plain", "cores": 1 });
    let (_, body) = answer(app.as_of(&member.token, Method::POST, "/v1/containers").json(&wish)).await;
    let container = body["container"].as_str().unwrap().to_owned();
    app.make_ready(&container, operation(&body)).await;
    let at = *app.app.log.head().borrow();
    let plan = async |what: &str, body: Value| {
        let path = format!("/v1/containers/{container}/{what}?dry_run=true");
        answer(app.as_of(&member.token, Method::POST, &path).json(&body)).await
    };
    let (status, grown) = plan("actions/resize", json!({ "cores": 3 })).await;
    assert_eq!((status, &grown["action"]), (200, &json!("resize")), "{grown}");
    assert_eq!(grown["quota"], json!([{ "what": "cores", "used": 1, "asked": 2, "left": 1 }]));
    let (status, too_much) = plan("actions/resize", json!({ "cores": 6 })).await;
    assert_eq!((status, &too_much["possible"]), (200, &json!(false)), "{too_much}");
    assert!(too_much["conflicts"].to_string().contains("cores"), "{too_much}");
    let (status, problem) = plan("actions/resize", json!({ "cores": 0 })).await;
    assert_eq!((status, fields(&problem)), (422, vec!["cores".to_owned()]), "as when it is meant");
    assert_eq!(plan("actions/resize", json!({})).await.0, 422);
    // It takes what it had.
    let (status, anew) = app.post(&format!("/v1/containers/{container}/rebuild?dry_run=true"), &json!({})).await;
    assert_eq!((status, &anew["action"], &anew["quota"]), (200, &json!("rebuild"), &json!([])), "{anew}");
    assert_eq!(*app.app.log.head().borrow(), at, "nothing is written");
    assert_eq!(plan("rebuild", json!({})).await.0, 403, "who may not delete it may not make it anew");
}
