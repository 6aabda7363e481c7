//! `pct` on the node: texts and codes as seen on a real one.

use crate::host::Host;

async fn check(host: &Host, line: &str, code: i32, stdout: &str, stderr: &str) {
    let output = host.on_node(line).await;
    assert_eq!(output.status.code(), Some(code), "{line}: {output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), stdout, "{line}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), stderr, "{line}");
}

#[tokio::test]
async fn pct_answers_as_the_real_one() {
    let host = Host::new().await;
    check(&host, "pct exec 101 -- echo hi", 0, "hi\n", "").await;
    check(&host, "pct exec 101 -- sh -c 'exit 7'", 7, "", "").await;
    check(&host, "pct exec 101 -- sh -c 'kill -9 $$'", 137, "", "").await;
    check(&host, "pct exec 101 -- pwd", 0, "/root\n", "").await;
    check(&host, "pct exec 101 -- hostname", 0, "ct101\n", "").await;
    check(&host, "echo in | pct exec 101 -- sh -c 'cat; echo err >&2'", 0, "in\n", "err\n").await;
    check(&host, "pct exec 999 -- true", 2, "", "Configuration file 'nodes/pve1/lxc/999.conf' does not exist\n").await;
    check(&host, "pct exec 103 -- true", 255, "", "container '103' not running!\n").await;
    assert_eq!(host.on_node("pct exec 101 -- nosuch").await.status.code(), Some(127));
    assert_eq!(host.on_node("pct exec abc -- true").await.status.code(), Some(255));
    check(&host, "SSH_CLIENT=me pct exec 101 -- sh -c 'echo $SSH_CLIENT'", 0, "me\n", "").await;
    check(&host, "SSH_CLIENT=me pct exec 101 --keep-env=0 -- sh -c 'echo $SSH_CLIENT'", 0, "\n", "").await;
    check(&host, "pct status 101", 0, "status: running\n", "").await;
    check(&host, "pct status 999", 2, "", "Configuration file 'nodes/pve1/lxc/999.conf' does not exist\n").await;
    check(&host, "pct config 101", 0, "arch: amd64\nhostname: ct101\n", "").await;
    check(&host, "pct start 101", 255, "", "CT 101 already running\n").await;
    let list = host.on_node("pct list").await;
    assert!(String::from_utf8_lossy(&list.stdout).contains("103        stopped "), "{list:?}");
}

#[tokio::test]
async fn files_are_pushed_and_pulled_and_a_failed_copy_still_exits_0() {
    let host = Host::new().await;
    check(&host, "echo one > /tmp/a; pct push 101 /tmp/a /root/b --perms 0640 --user 0 --group root", 0, "", "").await;
    assert_eq!(host.said("cat /root/b; stat -c %a /root/b").await, "one\n640");
    check(&host, "echo two | pct push 101 /dev/stdin /root/b; pct pull 101 /root/b /tmp/c; cat /tmp/c", 0, "two\n", "")
        .await;
    for wrong in
        ["/nosuch /root/x", "/tmp/a /nosuch/x", "/tmp/a /root/x --user nobodyknows", "/tmp/a /root/x --perms 9z"]
    {
        let output = host.on_node(&format!("pct push 101 {wrong}")).await;
        assert_eq!(output.status.code(), Some(0), "{wrong}: {output:?}");
        assert!(!output.stderr.is_empty(), "{wrong}");
        assert_eq!(host.ct("test -e /root/x").await.status.code(), Some(1), "{wrong}");
    }
    assert_eq!(host.on_node("pct push 103 /tmp/a /root/x").await.status.code(), Some(255));
    check(&host, "head -c 67108864 /dev/urandom > /tmp/big; pct push 101 /tmp/big /root/big; pct pull 101 /root/big /tmp/back; cmp /tmp/big /tmp/back", 0, "", "").await;
}
