#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod run;

use run::gantry;

#[test]
fn it_tells_where_its_nodes_are_and_ends_when_asked() {
    let mut sim =
        gantry(&["sim", "--nodes", "2", "--listen", "127.0.0.1:0", "--ssh", "0", "--dry-shell", "--json"]).start();
    let told: serde_json::Value = serde_json::from_str(&sim.line()).unwrap();
    assert_eq!(told["nodes"].as_array().unwrap().len(), 2);
    assert!(told["nodes"][0]["ssh_fingerprint"].as_str().unwrap().starts_with("SHA256:"));
    assert_eq!(told["dry_shell"], true);
    assert_eq!(sim.end(), 0);
}

#[test]
fn a_port_that_is_taken_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let ran = gantry(&["sim", "--listen", &listen, "--ssh", "0", "--dry-shell"]).run();
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("listen"), "{}", ran.stderr);
}

struct Anyone;

impl russh::client::Handler for Anyone {
    type Error = russh::Error;

    async fn check_server_key(&mut self, _: &russh::keys::PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        Ok(true)
    }
}

#[tokio::test]
async fn in_a_dry_shell_a_command_is_shown_and_not_run() {
    let mut sim = gantry(&["sim", "--listen", "127.0.0.1:0", "--ssh", "0", "--dry-shell", "--fast", "--json"]).start();
    let told: serde_json::Value = serde_json::from_str(&sim.line()).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("made");
    let at = told["nodes"][0]["ssh"].as_str().unwrap().to_owned();
    let mut session = russh::client::connect(std::sync::Arc::default(), at, Anyone).await.unwrap();
    let password = told["password"].as_str().unwrap();
    assert!(session.authenticate_password("root", password).await.unwrap().success());

    let line = format!("touch {}; pct exec 101 -- sh -c 'rm -rf /'", file.display());
    let mut channel = session.channel_open_session().await.unwrap();
    channel.exec(true, line.as_str()).await.unwrap();
    let (mut shown, mut code) = (Vec::new(), None);
    while let Some(message) = channel.wait().await {
        match message {
            russh::ChannelMsg::Data { data } => shown.extend_from_slice(&data),
            russh::ChannelMsg::ExitStatus { exit_status } => code = Some(exit_status),
            _ => {}
        }
    }
    assert_eq!((String::from_utf8(shown).unwrap(), code), (format!("# dry shell, not run: {line}\n"), Some(0)));
    assert!(!file.exists(), "it was run");
    assert_eq!(sim.end(), 0);
}
