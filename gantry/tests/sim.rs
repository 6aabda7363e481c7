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
