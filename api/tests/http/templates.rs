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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changed_in_the_tree_is_told_once_and_the_detail_has_all_of_it() {
    let app = TestApp::start().await;
    let (status, first) = app.post("/v1/templates/refresh", &json!({})).await;
    assert_eq!((status, &first["templates"]), (200, &json!(3)), "{first}");
    let told: Vec<_> = first["changes"].as_array().unwrap().iter().map(|c| (&c["template"], &c["change"])).collect();
    let (added, broken) = (json!("added"), json!("broken"));
    assert_eq!(told, [(&json!("broken"), &broken), (&json!("plain"), &added), (&json!("web"), &added)]);
    assert!(first["changes"][0]["reason"].as_str().unwrap().contains("template.conf:1"), "{first}");
    assert_eq!(app.post("/v1/templates/refresh", &json!({})).await.1["changes"], json!([]));

    let plain = app.directory.path().join("templates/plain");
    crate::support::write(
        &plain.join("template.conf"),
        "TEMPLATE_APP=Plain\nTEMPLATE_PORTS=\"53/udp=dns\"\nTEMPLATE_HEALTH=http://:80/up\n",
    );
    crate::support::write(&plain.join("README.md"), "# Plain <script>x</script>\n");
    crate::support::write(&plain.join("container-configs/packages/base.apt"), "unbound\n");
    crate::support::write(&plain.join("container-configs/files/a.conf"), "a");
    crate::support::write(&plain.join("container-configs/files/a.conf.path"), "/etc/unbound");
    std::fs::remove_dir_all(app.directory.path().join("templates/broken")).unwrap();
    let (_, second) = app.post("/v1/templates/refresh", &json!({})).await;
    let told: Vec<_> = second["changes"].as_array().unwrap().iter().map(|c| (&c["template"], &c["change"])).collect();
    assert_eq!(told, [(&json!("broken"), &json!("removed")), (&json!("plain"), &json!("changed"))]);

    let (_, list) = app.get("/v1/templates").await;
    assert!(list["items"].as_array().unwrap().len() == 2 && list["items"][0].get("readme").is_none(), "{list}");
    let (_, plain) = app.get("/v1/templates/plain").await;
    assert_eq!(plain["version"], second["changes"][1]["version"], "{plain}");
    assert_eq!(plain["listens"], json!([{ "port": 53, "protocol": "udp", "name": "dns" }]));
    assert_eq!((&plain["health"]["type"], &plain["packages"]), (&json!("http"), &json!(["apt/unbound"])));
    assert_eq!(plain["files"], json!([{ "path": "/etc/unbound/a.conf", "policy": "default" }]));
    let html = plain["readme_html"].as_str().unwrap();
    assert!(html.contains("<h1>Plain") && !html.contains("<script"), "{html}");
    let (_, audit) = app.get("/v1/audit?resource=template").await;
    assert_eq!(audit["items"].as_array().unwrap().len(), 5, "{audit}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn buckets_are_listed_with_who_takes_them_and_the_broken_ones_too() {
    let app = TestApp::start().await;
    assert_eq!(app.get("/v1/buckets").await, (200, json!({ "items": [] })));
    let root = app.directory.path();
    std::fs::create_dir(root.join("buckets")).unwrap();
    for (name, content) in [("editors.apt", "vim\n# small\nnano\n"), ("editors.apk", "vim\n"), ("odd.zip", "x\n")] {
        std::fs::write(root.join("buckets").join(name), content).unwrap();
    }
    let conf = root.join("templates/plain/template.conf");
    let before = std::fs::read_to_string(&conf).unwrap();
    std::fs::write(&conf, format!("{before}TEMPLATE_BUCKETS=\"editors\"\n")).unwrap();
    app.post("/v1/templates/refresh", &json!({})).await;
    let (status, list) = app.get("/v1/buckets").await;
    let editors = json!({ "name": "editors", "packages": ["apk/vim", "apt/vim", "apt/nano"], "templates": ["plain"], "findings": [] });
    assert_eq!((status, &list["items"][0]), (200, &editors), "{list}");
    let odd = &list["items"][1];
    assert_eq!((&odd["name"], &odd["findings"][0]["file"]), (&json!("odd"), &json!("buckets/odd.zip")), "{list}");
}
