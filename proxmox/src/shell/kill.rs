//! Ending a command's processes on the host, wherever they went: in the guest they are visible to the host's /proc too.
//!
//! This has a short connection of its own, so that it works when every place on the main one is taken, when that one
//! is stalled by a flood of output, and when it is lost.

use std::io::{Read, Write};
use std::sync::mpsc::Sender;

use super::config::ShellConfig;
use super::connect::connect;
use super::mailbox::{Mail, Waker};

/// Tags come on standard input, so that neither this script nor its `grep` is found by what it looks for. First TERM,
/// so that package managers can let go of their locks, and two seconds later KILL, until nobody is left.
const SCRIPT: &str = r#"
found() { printf '%s\n' "$tags" | grep -lsFf - /proc/[0-9]*/environ /proc/[0-9]*/cmdline | cut -d/ -f3 | sort -u; }
tags=$(cat); tries=0; signal=TERM
while pids=$(found); [ -n "$pids" ]; do
    [ $tries = 20 ] && signal=KILL
    [ $tries = 60 ] && exit 1
    if [ $tries = 0 ] || [ $signal = KILL ]; then kill -$signal $pids 2>/dev/null; fi
    tries=$((tries + 1)); sleep 0.1
done
echo ended"#;

pub(super) fn kill_in_background(config: &ShellConfig, tags: Vec<String>, mail: Sender<Mail>, waker: Waker) {
    let config = config.clone();
    let name = format!("ssh-kill-{}", config.name);
    let again = (tags.clone(), mail.clone(), waker.clone());
    let spawned = std::thread::Builder::new().name(name).spawn(move || {
        let ended = kill(&config, &tags);
        let _ = mail.send(Mail::Killed { tags, ended });
        waker.wake();
    });
    if spawned.is_err() {
        let (tags, mail, waker) = again;
        let _ = mail.send(Mail::Killed { tags, ended: false });
        waker.wake();
    }
}

pub(super) fn kill(config: &ShellConfig, tags: &[String]) -> bool {
    let ended = try_kill(config, tags).unwrap_or(false);
    if !ended {
        tracing::warn!(host = config.name, "a command's processes could not be ended");
    }
    ended
}

fn try_kill(config: &ShellConfig, tags: &[String]) -> Option<bool> {
    let (session, _socket) = connect(config).ok()?;
    let mut channel = session.channel_session().ok()?;
    channel.exec(SCRIPT).ok()?;
    channel.write_all(tags.join("\n").as_bytes()).ok()?;
    channel.send_eof().ok()?;
    let mut said = String::new();
    channel.read_to_string(&mut said).ok()?;
    let _ = session.disconnect(None, "done", None);
    Some(said.trim() == "ended")
}
