//! Ending a command's processes on the host, wherever they went: in the guest they are visible to the host's /proc too.
//!
//! This has a short connection of its own, so that it works when every place on the main one is taken, when that one
//! is stalled by a flood of output, and when it is lost.

use std::io::{Read, Write};
use std::sync::mpsc::Sender;

use super::config::ShellConfig;
use super::connect::connect;
use super::mailbox::{Mail, Waker};

/// Tags come on standard input, so that neither this script nor its `grep` is found by what it looks for. A connection
/// that breaks cuts them off: half a tag is in more processes than a whole one, and none at all is in every process of
/// the host. Nothing is done without the last line. First TERM, so that package managers can let go of their locks, and
/// two seconds later KILL, until nobody is left.
const SCRIPT: &str = r#"
found() { printf '%s\n' "$tags" | grep -lsFf - /proc/[0-9]*/environ /proc/[0-9]*/cmdline | cut -d/ -f3 | sort -u; }
told=$(cat); tags=${told%"
that is all"}
if [ -z "$tags" ] || [ "$tags" = "$told" ] || printf '%s\n' "$tags" | grep -qvx '[0-9a-f]\{24\}'; then exit 1; fi
tries=0; signal=TERM
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

fn told(tags: &[String]) -> String {
    format!("{}\nthat is all", tags.join("\n"))
}

fn try_kill(config: &ShellConfig, tags: &[String]) -> Option<bool> {
    let (session, _socket) = connect(config).ok()?;
    let mut channel = session.channel_session().ok()?;
    channel.exec(SCRIPT).ok()?;
    channel.write_all(told(tags).as_bytes()).ok()?;
    channel.send_eof().ok()?;
    let mut said = String::new();
    channel.read_to_string(&mut said).ok()?;
    let _ = session.disconnect(None, "done", None);
    Some(said.trim() == "ended")
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;
    use crate::shell::sentinel::token;

    /// What the script says to that input. It kills nobody here, whatever it finds.
    fn said_to(input: &str) -> String {
        let harmless = format!("kill() {{ echo would kill; exit 9; }}\n{SCRIPT}");
        let mut shell = Command::new("sh");
        let mut shell =
            shell.args(["-c", &harmless]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a shell");
        shell.stdin.take().expect("piped").write_all(input.as_bytes()).expect("it reads");
        let output = shell.wait_with_output().expect("it ends");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    #[test]
    fn nobody_is_killed_for_tags_that_did_not_come_whole() {
        let whole = told(&[token(), token()]);
        assert_eq!(said_to(&whole), "ended");
        for length in [0, 1, 23, 24, 25, 26, 49, 50, whole.len() - 1] {
            assert_eq!(said_to(&whole[..length]), "", "cut off after {length}");
        }
        assert_eq!(said_to(&told(&[])), "", "no tag");
        assert_eq!(said_to(&told(&[String::new(), token()])), "", "an empty tag");
    }

    #[test]
    fn who_has_a_tag_is_found() {
        let tag = token();
        let mut tagged = Command::new("sleep").arg("60").env("GANTRY_RUN", &tag).spawn().expect("sleep");
        assert_eq!(said_to(&told(&[tag])), "would kill");
        tagged.kill().expect("it runs");
        tagged.wait().expect("it ends");
    }
}
