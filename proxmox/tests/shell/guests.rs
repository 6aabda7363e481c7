use std::os::unix::fs::{MetadataExt, PermissionsExt};

use bytes::Bytes;
use proxmox::shell::{Command, GuestError, Owner, Secret, ShellError};
use sha2::{Digest, Sha256};

use super::sshd::Sshd;

fn sh(script: &str) -> Command {
    Command::new("sh").arg("-c").arg(script)
}

#[tokio::test]
#[ignore = "needs sshd: cargo xtask test"]
async fn a_commands_code_is_not_taken_for_pcts() {
    let sshd = Sshd::start("");
    let shell = sshd.shell().await;
    for code in [0, 1, 2, 127, 255] {
        let output = shell.guest(101).output(sh(&format!("echo 'does not exist, not running' >&2; exit {code}"))).await;
        assert_eq!(output.unwrap().code, code);
    }
    let error = shell.guest(404).output(Command::new("true")).await.unwrap_err();
    assert!(matches!(error, GuestError::Unknown { vmid: 404, .. }), "{error}");
    let error = shell.guest(103).exec(Command::new("true"), |_| ()).await.unwrap_err();
    assert!(matches!(error, GuestError::NotRunning { vmid: 103, .. }), "{error}");
    let error = shell.guest(105).output(Command::new("true")).await.unwrap_err();
    assert!(matches!(error, GuestError::Lost { code: 137, .. }), "{error}");
}

#[tokio::test]
#[ignore = "needs sshd: cargo xtask test"]
async fn nothing_of_the_hosts_environment_leaks_in() {
    let sshd = Sshd::start("");
    let guest = sshd.shell().await.guest(101);
    let output = guest.output(Command::new("env").env("MINE", "it's mine")).await.unwrap();
    let text = output.text();
    assert!(text.contains("MINE=it's mine") && text.contains("HOME=/root"), "{text}");
    assert!(!text.contains("SSH_"), "{text}");
}

#[tokio::test]
#[ignore = "needs sshd: cargo xtask test"]
async fn arguments_and_input_survive_both_shells() {
    let sshd = Sshd::start("");
    let guest = sshd.shell().await.guest(101);
    let all: Vec<u8> = (1..=255).collect();
    let argument: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(all.as_slice());
    let command = sh("printf %s \"$1\"; cat").arg("sh").arg(argument).stdin(Bytes::from(vec![0; 100_000]));
    let output = guest.output(command).await.unwrap();
    assert_eq!(output.stdout, [all, vec![0; 100_000]].concat());
}

#[tokio::test]
#[ignore = "needs sshd: cargo xtask test"]
async fn sixty_four_mebibytes_go_and_come_back_intact() {
    let sshd = Sshd::start("");
    let guest = sshd.shell().await.guest(101);
    let content: Vec<u8> = (0..64 * 1024 * 1024u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let (source, target, back) = (sshd.path("source"), sshd.path("target"), sshd.path("back"));
    std::fs::write(&source, &content).unwrap();
    let owner = Owner { mode: 0o640, user: "daemon".to_owned(), group: "daemon".to_owned() };
    guest.push_file(&source, target.to_str().unwrap(), &owner).await.unwrap();
    let there = std::fs::metadata(&target).unwrap();
    assert_eq!((there.permissions().mode() & 0o7777, there.uid(), there.gid()), (0o640, 1, 1));
    let pulled = guest.pull_file(target.to_str().unwrap(), &back).await.unwrap();
    assert_eq!((pulled.mode, pulled.uid, pulled.gid, pulled.size), (0o640, 1, 1, content.len() as u64));
    assert_eq!(Sha256::digest(std::fs::read(back).unwrap()), Sha256::digest(content));
}

#[tokio::test]
#[ignore = "needs sshd: cargo xtask test"]
async fn a_copy_that_fails_says_so_and_changes_nothing() {
    let sshd = Sshd::start("");
    let guest = sshd.shell().await.guest(101);
    let target = sshd.path("a b'c");
    let name = target.to_str().unwrap();
    guest.push_bytes(Bytes::from_static(b"old"), name, &Owner::root(0o644)).await.unwrap();
    let nobody = Owner { mode: 0o644, user: "no-such-user".to_owned(), group: "root".to_owned() };
    let (inside, missing) = (format!("{name}/there"), sshd.path("none/there"));
    for (sum, path, owner) in [
        ([0; 32], name, &Owner::root(0o644)),
        (Sha256::digest(b"new").into(), name, &nobody),
        (Sha256::digest(b"new").into(), inside.as_str(), &Owner::root(0o644)),
    ] {
        let error = guest.push(Bytes::from_static(b"new"), sum, path, owner).await.unwrap_err();
        assert!(matches!(error, GuestError::Copy { .. }), "{error}");
    }
    assert_eq!(std::fs::read(&target).unwrap(), b"old");
    let left = std::fs::read_dir(sshd.directory.path()).unwrap().filter_map(Result::ok);
    assert!(!left.into_iter().any(|entry| entry.file_name().to_string_lossy().contains(".gantry-")));
    let error = guest.pull(missing.to_str().unwrap(), &mut Vec::new()).await.unwrap_err();
    assert!(matches!(error, GuestError::Copy { .. }), "{error}");
    guest.push_bytes(Bytes::from_static(b"new"), missing.to_str().unwrap(), &Owner::root(0o644)).await.unwrap();
    assert_eq!(std::fs::read(missing).unwrap(), b"new");
}

#[tokio::test]
#[ignore = "needs sshd: cargo xtask test"]
async fn the_root_password_reaches_chpasswd_by_standard_input() {
    let sshd = Sshd::start("");
    let guest = sshd.shell().await.guest(106);
    guest.set_root_password(&Secret::from("pa:ss 'wörd")).await.unwrap();
    assert_eq!(std::fs::read_to_string(sshd.path("chpasswd")).unwrap(), "root:pa:ss 'wörd\n");
    for bad in ["", "a\nroot2:b"] {
        let error = guest.set_root_password(&Secret::from(bad)).await.unwrap_err();
        assert!(matches!(error, GuestError::Password(_)), "{error}");
    }
    std::fs::remove_file(sshd.path("chpasswd")).unwrap();
    std::fs::create_dir(sshd.path("chpasswd")).unwrap();
    let error = guest.set_root_password(&Secret::from("secret")).await.unwrap_err();
    assert!(matches!(error, GuestError::Shell(ShellError::Failed { .. })), "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
}
