//! A real OpenSSH server in front of the same `pct` gives the same answers as the node's own.

use std::process::{Command, Output, Stdio};

use xtask::servers::Sshd;

use crate::host::Host;
use crate::ssh::{Keys, logged_in, run};

fn over_sshd(sshd: &Sshd, line: &str, input: &[u8]) -> Output {
    use std::io::Write;
    let mut child = Command::new("ssh")
        .args(["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-i"])
        .arg(sshd.key())
        .args(["-p", &sshd.port().to_string(), &format!("{}@127.0.0.1", sshd.user()), line])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feed = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    // A command that does not read its input may end first.
    let _unread = feed.join().unwrap();
    output
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs sshd: cargo xtask test"]
async fn a_real_sshd_gives_identical_results() {
    let host = Host::new().await;
    let own = host.ssh(Keys::new()).await;
    let session = logged_in(&own).await;
    let pct = host.node.pct_outside().unwrap();
    let dir = pct.program().parent().unwrap().to_owned();
    let path = format!("SetEnv SHLVL=5 PATH={}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", dir.display());
    let sshd = Sshd::start_with(&[&path]).unwrap();
    let big = vec![7_u8; 1 << 20];
    let table: [(&str, &[u8]); 16] = [
        ("pct exec 101 -- echo hi", b""),
        ("pct exec 101 -- sh -c 'cat; echo err >&2; exit 7'", b"input"),
        ("pct exec 101 -- sh -c 'kill -9 $$'", b""),
        ("pct exec 101 -- nosuch", b""),
        ("pct exec 101 -- printf '%s|' 'a b' \"c'd\" '$x' '*' ''", b""),
        ("pct exec 101 -- cat", &big),
        ("pct exec 101 -- true; printf '\\n__rc=%d\\n' $?", b""),
        ("pct exec 999 -- true", b""),
        ("pct exec 103 -- true", b""),
        ("pct exec x -- true", b""),
        (
            "pct push 101 /dev/stdin /root/pushed --perms 0600 && pct exec 101 -- sh -c 'stat -c %a /root/pushed; wc -c < /root/pushed'",
            &big,
        ),
        ("pct push 101 /nosuch /root/x", b""),
        ("pct push 103 /etc/hostname /root/x", b""),
        ("pct status 101; pct status 103; pct status 999", b""),
        ("pct list; pct config 101", b""),
        ("pct exec 101 -- sh -c 'sleep 1000 >/dev/null 2>&1 & echo on'; echo $?", b""),
    ];
    for (line, input) in table {
        let real = tokio::task::block_in_place(|| over_sshd(&sshd, line, input));
        let ours = run(&session, line, input).await;
        assert_eq!(ours.code, real.status.code().and_then(|code| u32::try_from(code).ok()), "{line}: {real:?}");
        assert!(ours.stdout == real.stdout, "{line}");
        assert_eq!(String::from_utf8_lossy(&ours.stderr), String::from_utf8_lossy(&real.stderr), "{line}");
    }
}
