//! Adopting and releasing, over HTTP.

use domain::HostId;
use domain::host::{Auth, Host, HostCommand, HostSettings, Limits};
use domain::{Meta, SealedId};
use serde_json::json;
use uuid::Uuid;

use crate::support::{TestApp, operation};

async fn host(app: &TestApp) -> HostId {
    let id = HostId::new(Uuid::now_v7());
    let settings = HostSettings {
        name: "lab".into(),
        addresses: vec!["192.0.2.1:8006".into()],
        auth: Auth::Token { id: "root@pam!gantry".into(), sealed: SealedId::new(Uuid::now_v7()) },
        fingerprint: None,
        pins: Default::default(),
        ssh: None,
        limits: Limits::default(),
    };
    app.app.log.execute::<Host>(id, HostCommand::Register(settings), &(), Meta::system("test")).await.unwrap();
    id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_is_adopted_once_and_a_container_released() {
    let app = TestApp::start().await;
    let host = host(&app).await;
    let path = |vmid: u32| format!("/v1/hosts/{host}/guests/{vmid}/adopt");
    let (status, adopted) = app.post(&path(101), &json!({})).await;
    assert_eq!((status, &adopted["kind"]), (202, &json!("adopt")), "{adopted}");
    let (status, again) = app.post(&path(101), &json!({})).await;
    assert_eq!((status, &again["errors"][0]["field"]), (409, &json!("hostname")), "{again}");
    let (status, bad) = app.post(&path(103), &json!({})).await;
    assert_eq!((status, &bad["errors"][0]["field"]), (422, &json!("hostname")), "{bad}");
    let nobody = json!({ "account": Uuid::now_v7() });
    assert_eq!(app.post(&path(101), &nobody).await.0, 422);
    assert_eq!(app.post(&path(102), &json!({})).await.0, 409, "there is no such guest");
    assert_eq!(app.post(&format!("/v1/hosts/{}/guests/101/adopt", Uuid::now_v7()), &json!({})).await.0, 404);
    assert_eq!(app.post(&format!("/v1/hosts/{host}/guests/1/adopt"), &json!({})).await.0, 404);

    let container = adopted["container"].as_str().unwrap().to_owned();
    let release = format!("/v1/containers/{container}/release");
    let (status, busy) = app.post(&release, &json!({})).await;
    assert_eq!((status, &busy["holder"]), (409, &adopted["links"]["self"]), "{busy}");
    app.make_ready(&container, operation(&adopted)).await;
    let (status, released) = app.post(&release, &json!({})).await;
    assert_eq!((status, &released["kind"]), (202, &json!("release")), "{released}");
}
