use serde_json::json;

use crate::support::TestApp;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn templates_are_listed_and_a_broken_one_tells_why() {
    let app = TestApp::start().await;
    let (status, list) = app.get("/v1/templates").await;
    let names: Vec<_> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| (t["name"].as_str().unwrap(), t["usable"].as_bool().unwrap()))
        .collect();
    assert_eq!((status, names), (200, vec![("broken", false), ("plain", true), ("web", true)]));
    let finding = &list["items"][0]["findings"][0];
    assert_eq!(
        (finding["severity"].as_str(), finding["file"].as_str(), finding["line"].as_u64()),
        (Some("error"), Some("template.conf"), Some(1))
    );
    let (_, web) = app.get("/v1/templates/web").await;
    assert_eq!((&web["defaults"]["cores"], &web["scripts"]), (&json!(2), &json!(["10-base.sh"])));
    assert_eq!((web["inputs"][0]["name"].as_str(), &web["inputs"][0]["required"]), (Some("SITE"), &json!(true)));
    let (_, plain) = app.get("/v1/templates/plain").await;
    assert_eq!(plain["readme"], "# Plain\n");
    for name in ["none", "..", "%2e%2e", "a%2fb"] {
        assert_eq!(app.get(&format!("/v1/templates/{name}")).await.0, 404, "{name}");
    }
}
