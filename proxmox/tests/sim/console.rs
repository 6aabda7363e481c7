//! Terminals and screens through the websocket.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use proxmox::{Console, Screen};
use sim::Options;
use tokio_tungstenite::tungstenite::Message;

use crate::pve::{NODE, Pve, said};

/// What it shows until `wanted` is among it.
async fn until(console: &mut Console, wanted: &str) -> String {
    let mut shown = String::new();
    let reading = async {
        while !shown.contains(wanted) {
            let message = console.next().await.expect("the console ended").unwrap();
            shown.push_str(&String::from_utf8_lossy(&message.into_data()));
        }
    };
    let read = tokio::time::timeout(Duration::from_secs(20), reading).await;
    assert!(read.is_ok(), "no {wanted:?} in {shown:?}");
    shown
}

async fn keys(console: &mut Console, line: &str) {
    console.send(Message::binary(format!("0:{}:{line}", line.len()))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_into_a_terminal_is_run_in_the_container() {
    let pve = Pve::new(Options::default()).await;
    pve.container(101).await;
    let ct = pve.client.lxc(NODE, 101);
    pve.done(ct.start().await).await;
    let ticket = ct.console(Screen::Terminal).await.unwrap();
    let mut console = pve.client.open(&ticket).await.unwrap();
    console.send(Message::binary(ticket.greeting().expose().to_vec())).await.unwrap();
    until(&mut console, "OK").await;

    keys(&mut console, "echo \"$(hostname) says $((6 * 7))\"\n").await;
    until(&mut console, "ct101 says 42").await;
    // It is a terminal and not just a pipe: it has a size, and an interrupt from the keyboard ends what runs.
    console.send(Message::binary("1:100:40:")).await.unwrap();
    keys(&mut console, "test -t 0 && stty size\n").await;
    until(&mut console, "40 100").await;
    keys(&mut console, "sleep 1000\n").await;
    let guest = pve.shell().await.guest(101);
    said(&guest, "until cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep 'sleep [1]000'; do sleep 0.02; done").await;
    keys(&mut console, "\u{3}echo code-$?\n").await;
    until(&mut console, "code-130").await;

    keys(&mut console, "exit\n").await;
    let over = async { while let Some(Ok(_)) = console.next().await {} };
    tokio::time::timeout(Duration::from_secs(20), over).await.expect("the console outlives its shell");
    pve.sim.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_is_good_for_one_console_and_only_the_right_greeting_opens_it() {
    let pve = Pve::new(Options::default()).await;
    pve.container(101).await;
    let ct = pve.client.lxc(NODE, 101);
    pve.done(ct.start().await).await;

    let ticket = ct.console(Screen::Terminal).await.unwrap();
    let mut console = pve.client.open(&ticket).await.unwrap();
    let again = pve.client.open(&ticket).await.unwrap_err();
    assert!(again.words().contains("not accepted"), "{again}");
    console.send(Message::binary("root@pam:guessed\n")).await.unwrap();
    let mut shown = Vec::new();
    while let Some(Ok(message)) = console.next().await {
        shown.extend_from_slice(&message.into_data());
    }
    assert!(!shown.starts_with(b"OK"), "{shown:?}");

    let ticket = ct.console(Screen::Vnc).await.unwrap();
    let mut screen = pve.client.open(&ticket).await.unwrap();
    until(&mut screen, "RFB 003.008").await;
    pve.sim.stop().await;
}
