use std::sync::{Arc, Mutex};

use reqwest::Method;
use serde_json::json;

use crate::support::{TestApp, answer};

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Whatever is given in secret is found in no answer, no log line, and no file in clear.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_comes_out_again() {
    const CANARIES: [&str; 4] = ["canary-password", "canary-admin", "canary-token", "canary-ssh-key"];
    let lines = Kept::default();
    let writer = lines.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).finish();
    // The only test that installs one; others would write to it too, which does no harm.
    let _ = tracing::subscriber::set_global_default(subscriber);
    let app = TestApp::start().await;
    let host = json!({ "name": "pve", "addresses": ["pve:8006"], "token": { "id": "a@pve!b", "secret": CANARIES[2] }, "ssh": { "private_key": CANARIES[3] } });
    let mut answers = vec![app.post("/v1/hosts", &host).await];
    let wish = json!({ "hostname": "web1", "template": "web", "root_password": CANARIES[0], "inputs": { "SITE": "s", "ADMIN": CANARIES[1] } });
    let create = || answer(app.ask(Method::POST, "/v1/containers").header("idempotency-key", "k").json(&wish));
    answers.push(create().await);
    answers.push(create().await);
    assert_eq!((answers[0].0, answers[1].0, answers[2].0), (201, 202, 202), "{answers:?}");
    let mut wrong = wish.clone();
    wrong["cores"] = json!(0);
    answers.push(app.post("/v1/containers", &wrong).await);
    answers.push(app.post("/v1/hosts", &host).await);
    for path in ["/v1/containers", "/v1/operations", "/v1/hosts"] {
        let (_, list) = app.get(path).await;
        let id = list["items"][0]["id"].as_str().unwrap().to_owned();
        answers.push(app.get(&format!("{path}/{id}")).await);
        answers.push((200, list));
    }
    app.app.log.close().await;
    let told = format!("{answers:?}");
    let logged = String::from_utf8_lossy(&lines.0.lock().unwrap()).into_owned();
    assert!(logged.contains("answered"), "the lines are there to be looked through");
    for secret in CANARIES.into_iter().chain([app.token.as_str()]) {
        assert!(!told.contains(secret), "{secret} is in an answer");
        assert!(!logged.contains(secret), "{secret} is in the log");
        for entry in std::fs::read_dir(app.directory.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let content = std::fs::read(&path).unwrap();
                let found = content.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "{secret} is in {}", path.display());
            }
        }
    }
}
