//! Sessions with a terminal, as `ssh -t` asks for one.

use std::time::Duration;

use russh::client::Msg;
use russh::{Channel, ChannelMsg};

use crate::host::Host;
use crate::ssh::{Keys, logged_in};

/// What it shows until `wanted` is among it, or until it ends; and the code that it ended with.
async fn until(channel: &mut Channel<Msg>, wanted: &str) -> (String, Option<u32>) {
    let (mut shown, mut code) = (String::new(), None);
    let reading = async {
        while wanted.is_empty() || !shown.contains(wanted) {
            match channel.wait().await {
                Some(ChannelMsg::Data { data }) => shown.push_str(&String::from_utf8_lossy(&data)),
                Some(ChannelMsg::ExitStatus { exit_status }) => code = Some(exit_status),
                Some(_) => {}
                None => break,
            }
        }
    };
    let read = tokio::time::timeout(Duration::from_secs(20), reading).await;
    assert!(read.is_ok(), "no {wanted:?} in {shown:?}");
    (shown, code)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shell_on_a_terminal_echoes_has_a_size_and_is_interrupted() {
    let host = Host::new().await;
    let server = host.ssh(Keys::new()).await;
    let session = logged_in(&server).await;
    let mut channel = session.channel_open_session().await.unwrap();
    channel.request_pty(true, "xterm", 90, 30, 0, 0, &[]).await.unwrap();
    channel.request_shell(true).await.unwrap();
    channel.data(&b"stty size; echo $TERM-$((6 * 7))\n"[..]).await.unwrap();
    let (shown, _) = until(&mut channel, "xterm-42").await;
    assert!(shown.contains("30 90"), "{shown:?}");
    channel.window_change(120, 50, 0, 0).await.unwrap();
    let grown = b"until [ \"$(stty size)\" = '50 120' ]; do sleep 0.01; done; echo gr$((0))wn\n";
    channel.data(&grown[..]).await.unwrap();
    until(&mut channel, "gr0wn").await;
    channel.data(&b"sleep 456789\n"[..]).await.unwrap();
    running(&host, "", "456789", 1).await;
    channel.data(&b"\x03exit $(($? + 1))\n"[..]).await.unwrap();
    assert_eq!(until(&mut channel, "").await.1, Some(131), "130 is the code of what an interrupt ended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_on_a_terminal_gives_its_code_and_hanging_up_ends_it() {
    let host = Host::new().await;
    let server = host.ssh(Keys::new()).await;
    let session = logged_in(&server).await;
    let mut channel = session.channel_open_session().await.unwrap();
    channel.request_pty(true, "xterm", 80, 24, 0, 0, &[]).await.unwrap();
    channel.exec(true, "test -t 0 && test -t 1 && echo both; exit 3").await.unwrap();
    let (shown, code) = until(&mut channel, "").await;
    assert_eq!((shown.trim(), code), ("both", Some(3)));

    let channel = session.channel_open_session().await.unwrap();
    channel.request_pty(true, "xterm", 80, 24, 0, 0, &[]).await.unwrap();
    channel.exec(true, "exec sleep 987654").await.unwrap();
    running(&host, "", "987654", 1).await;
    channel.close().await.unwrap();
    drop(channel);
    running(&host, "", "987654", 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn entering_a_guest_gives_it_a_terminal_of_its_own() {
    let host = Host::new().await;
    let server = host.ssh(Keys::new()).await;
    let session = logged_in(&server).await;
    let mut channel = session.channel_open_session().await.unwrap();
    channel.request_pty(true, "xterm", 100, 40, 0, 0, &[]).await.unwrap();
    channel.exec(true, "pct enter 101; echo left-$? $(stty size)").await.unwrap();
    channel.data(&b"hostname; stty size; test -t 0 && echo ter$((0))minal\n"[..]).await.unwrap();
    let (shown, _) = until(&mut channel, "ter0minal").await;
    assert!(shown.contains("ct101") && shown.contains("40 100") && shown.contains("ter0minal"), "{shown:?}");
    // What is typed reaches the shell in there as keys: an interrupt ends its command, and not the session.
    channel.data(&b"sleep 345678\n"[..]).await.unwrap();
    running(&host, "pct exec 101 --", "345678", 1).await;
    channel.data(&b"\x03exit 7\n"[..]).await.unwrap();
    let (shown, code) = until(&mut channel, "").await;
    assert!(shown.contains("left-7 40 100") && code == Some(0), "{shown:?} {code:?}");
}

/// Waits until so many such sleeps run on the node, or where what is before the command leads.
async fn running(host: &Host, before: &str, seconds: &str, count: usize) {
    let line = format!(
        "{before} sh -c \"cat /proc/[0-9]*/cmdline | tr '\\\\0' ' ' | grep -o 'sleep [{}]{}' | wc -l\"",
        &seconds[..1],
        &seconds[1..]
    );
    let right = async {
        while host.on_node(&line).await.stdout != format!("{count}\n").into_bytes() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), right).await.expect("never so many run");
}
