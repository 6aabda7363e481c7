use proxmox::shell::{Auth, Command, Secret, Shell, ShellError};

use super::sshd::{Sshd, eventually};

#[tokio::test]
#[ignore = "needs sshd: cargo xtask test"]
async fn a_changed_host_key_is_refused_before_we_say_who_we_are() {
    let (ours, other) = (Sshd::start(""), Sshd::start("LogLevel DEBUG1"));
    let mut config = ours.config().await;
    config.port = other.port;
    let error = Shell::new(config).unwrap().output(Command::new("true")).await.unwrap_err();
    assert!(matches!(&error, ShellError::HostKeyChanged { shown, pinned, .. } if shown != pinned), "{error}");
    let log = std::fs::read_to_string(other.path("sshd.log")).unwrap();
    assert!(log.contains("Connection from") && !log.contains("userauth-request"), "{log}");
}

#[tokio::test]
#[ignore = "needs sshd: cargo xtask test"]
async fn refused_and_unreachable_are_told_apart() {
    let sshd = Sshd::start("");
    let mut config = sshd.config().await;
    config.auth = Auth::Password(Secret::from("wrong"));
    let error = Shell::new(config).unwrap().output(Command::new("true")).await.unwrap_err();
    assert!(matches!(error, ShellError::AuthRefused { .. }), "{error}");
    let config = sshd.config().await;
    drop(sshd);
    let error = Shell::new(config).unwrap().output(Command::new("true")).await.unwrap_err();
    assert!(matches!(error, ShellError::Unreachable { .. }), "{error}");
}

#[tokio::test]
#[ignore = "needs sshd: cargo xtask test"]
async fn a_killed_connection_is_never_a_success() {
    let sshd = Sshd::start("");
    let shell = sshd.shell().await;
    for _ in 0..5 {
        let mut running = shell.start(Command::new("sh").args(["-c", "echo up; sleep 0.2; exit 0"])).unwrap();
        assert_eq!(&running.next().await.unwrap().bytes[..], b"up\n");
        sshd.drop_connections();
        let error = running.wait().await.unwrap_err();
        assert!(matches!(error, ShellError::Interrupted { .. }), "{error}");
    }
    // The next command connects anew.
    assert_eq!(shell.output(Command::new("echo").arg("again")).await.unwrap().text(), "again");
}

#[tokio::test]
#[ignore = "needs sshd: cargo xtask test"]
async fn a_lost_idle_connection_costs_nothing() {
    let sshd = Sshd::start("");
    let shell = sshd.shell().await;
    for round in 0..5 {
        assert_eq!(shell.output(Command::new("true")).await.unwrap().code, 0, "round {round}");
        sshd.drop_connections();
        eventually("the connection is gone", || sshd.connections() == 0).await;
    }
}

#[tokio::test]
#[ignore = "needs sshd: cargo xtask test"]
async fn a_channel_that_times_out_is_no_success() {
    let sshd = Sshd::start("ChannelTimeout session:*=1");
    let shell = sshd.shell().await;
    let error = shell.output(Command::new("sh").args(["-c", "sleep 5; exit 7"])).await.unwrap_err();
    assert!(matches!(error, ShellError::Interrupted { .. }), "{error}");
}

#[tokio::test]
#[ignore = "needs sshd: cargo xtask test"]
async fn every_kind_of_key_opens() {
    let sshd = Sshd::start("");
    for (kind, passphrase) in [("ed25519", ""), ("rsa", ""), ("ecdsa", ""), ("ed25519", "open sesame")] {
        let file = sshd.path(&format!("{kind}-{}", passphrase.len()));
        let made = std::process::Command::new("ssh-keygen")
            .args(["-q", "-t", kind, "-N", passphrase, "-f", file.to_str().unwrap()])
            .status();
        assert!(made.unwrap().success());
        std::fs::copy(file.with_extension("pub"), sshd.path("authorized")).unwrap();
        let mut config = sshd.config().await;
        let passphrase = (!passphrase.is_empty()).then(|| Secret::from(passphrase));
        config.auth = Auth::Key { pem: Secret::new(std::fs::read(&file).unwrap()), passphrase };
        assert_eq!(Shell::new(config).unwrap().output(Command::new("true")).await.unwrap().code, 0, "{kind}");
    }
}
