//! The private servers answer, come back on the same address, and leave nothing behind.
#![allow(clippy::unwrap_used, reason = "a test says what it expects by failing")]

use std::{net::TcpStream, panic::catch_unwind, process::Command};

use xtask::servers::{Postgres, Redis, Sshd};

fn answers(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

#[test]
#[ignore = "needs Postgres: cargo xtask test"]
fn postgres_comes_back_after_being_killed_and_after_a_restart() {
    let mut server = Postgres::start().unwrap();
    server.kill();
    assert!(!answers(server.port()));
    server.restart().unwrap();
    assert!(answers(server.port()));
    server.restart().unwrap();
    let port = server.port();
    drop(server);
    assert!(!answers(port));
}

#[test]
#[ignore = "needs Redis: cargo xtask test"]
fn redis_is_gone_when_its_test_panics() {
    let (send, receive) = std::sync::mpsc::channel();
    let ended = catch_unwind(move || {
        let server = Redis::start().unwrap();
        send.send(server.port()).unwrap();
        assert!(!answers(server.port()), "it runs, so this panics");
    });
    assert!(ended.is_err());
    assert!(!answers(receive.recv().unwrap()));
}

#[test]
#[ignore = "needs sshd: cargo xtask test"]
fn sshd_lets_its_own_key_in() {
    let server = Sshd::start_with(&["ForceCommand echo forced"]).unwrap();
    let said = Command::new("ssh")
        .args(["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "IdentitiesOnly=yes"])
        .arg("-i")
        .arg(server.key())
        .args(["-p", &server.port().to_string()])
        .arg(format!("{}@127.0.0.1", server.user()))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&said.stdout), "forced\n", "{}", String::from_utf8_lossy(&said.stderr));
}
