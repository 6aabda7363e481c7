//! One session on a connection: a command line for the node's shell.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};

use russh::server::{Handle, Msg};
use russh::{Channel, ChannelId, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Sig};
use tokio::sync::{mpsc, oneshot, watch};

use super::super::node::Node;
use super::super::pct::attach;
use super::super::terminal::SHELL;
use super::{Door, dry, terminal};

/// A session's place among those that a connection may have.
pub(super) struct Place(pub(super) Arc<Mutex<usize>>);

impl Drop for Place {
    fn drop(&mut self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
    }
}

/// What all sessions of a connection know.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) node: Arc<Node>,
    pub(super) door: Arc<dyn Door>,
    pub(super) cut: Arc<watch::Sender<bool>>,
}

/// Waits for the request that says what the session is for, then runs it.
pub(super) async fn serve(channel: Channel<Msg>, handle: Handle, shared: Shared, place: Place) {
    let id = channel.id();
    let (mut asked, answers) = channel.split();
    let (mut env, mut wanted) = (Vec::new(), None);
    let line = loop {
        match asked.wait().await {
            Some(ChannelMsg::Exec { command, .. }) => break command,
            // Without a terminal a shell reads its commands from standard input.
            Some(ChannelMsg::RequestShell { .. }) => break SHELL.as_bytes().to_vec(),
            Some(ChannelMsg::RequestPty { term, col_width, row_height, .. }) => {
                wanted = Some(terminal::Wanted { term, size: terminal::size(col_width, row_height) });
                let _gone = handle.channel_success(id).await;
            }
            Some(ChannelMsg::SetEnv { variable_name, variable_value, want_reply }) => {
                let taken = variable_name == "LANG" || variable_name.starts_with("LC_");
                if taken {
                    env.push((variable_name, variable_value));
                }
                if want_reply {
                    let _gone = if taken { handle.channel_success(id).await } else { handle.channel_failure(id).await };
                }
            }
            Some(
                ChannelMsg::RequestSubsystem { .. } | ChannelMsg::AgentForward { .. } | ChannelMsg::RequestX11 { .. },
            ) => {
                let _gone = handle.channel_failure(id).await;
            }
            Some(ChannelMsg::Close) | None => return,
            Some(_) => {}
        }
    };
    if !shared.door.is_up() {
        shared.cut.send_replace(true);
        return;
    }
    let _gone = handle.channel_success(id).await;
    let text = String::from_utf8_lossy(&line).into_owned();
    if let Some(after) = shared.door.drop_after(&text) {
        let cut = shared.cut.clone();
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            cut.send_replace(true);
        });
    }
    let command = if wanted.is_some() { shared.node.terminal(&line) } else { shared.node.command(&line) };
    match command {
        Ok(Some(mut command)) => {
            command.envs(env);
            let done = match wanted {
                Some(wanted) => terminal::run(command, wanted, asked, &handle, id).await,
                None => run(command, asked, answers).await,
            };
            end(done, &handle, id).await;
        }
        Ok(None) => {
            let _gone = handle.data(id, dry::echo(&text)).await;
            let _gone = handle.eof(id).await;
            let _gone = handle.exit_status_request(id, 0).await;
        }
        Err(error) => {
            let _gone = handle.extended_data(id, 1, format!("{error}\n")).await;
            let _gone = handle.eof(id).await;
            let _gone = handle.exit_status_request(id, 255).await;
        }
    }
    let _gone = handle.close(id).await;
    drop(place);
}

async fn run(
    command: tokio::process::Command,
    asked: ChannelReadHalf,
    answers: ChannelWriteHalf<Msg>,
) -> std::io::Result<ExitStatus> {
    let (feed, stdin) = mpsc::unbounded_channel();
    let (kill, killed) = watch::channel(false);
    let (started, pid) = oneshot::channel();
    let listening = tokio::spawn(listen(asked, feed, kill, pid));
    // A client that hangs up does not end the command, as with sshd: it reads the end of its input and cannot write any more.
    let done = attach(
        command,
        Input { queue: stdin, rest: bytes::Bytes::new() },
        answers.make_writer(),
        answers.make_writer_ext(Some(1)),
        killed,
        Some(started),
    )
    .await;
    listening.abort();
    done
}

async fn end(done: std::io::Result<ExitStatus>, handle: &Handle, id: ChannelId) {
    let _gone = handle.eof(id).await;
    let _gone = match done {
        Ok(status) => tell(handle, id, status).await,
        Err(error) => {
            tracing::warn!(%error, "a command of the node's shell could not be run");
            handle.exit_status_request(id, 255).await
        }
    };
}

async fn tell(handle: &Handle, id: ChannelId, status: ExitStatus) -> Result<(), ()> {
    match (status.code(), status.signal()) {
        (Some(code), _) => handle.exit_status_request(id, u32::try_from(code).unwrap_or(255)).await,
        (None, signal) => {
            let name = match signal.unwrap_or_default() {
                1 => Sig::HUP,
                2 => Sig::INT,
                3 => Sig::QUIT,
                4 => Sig::ILL,
                6 => Sig::ABRT,
                8 => Sig::FPE,
                9 => Sig::KILL,
                10 => Sig::USR1,
                11 => Sig::SEGV,
                13 => Sig::PIPE,
                14 => Sig::ALRM,
                15 => Sig::TERM,
                other => Sig::Custom(format!("SIG{other}@gantry")),
            };
            handle.exit_signal_request(id, name, status.core_dumped(), String::new(), String::new()).await
        }
    }
}

/// What the client sends while the command runs.
async fn listen(
    mut asked: ChannelReadHalf,
    feed: mpsc::UnboundedSender<bytes::Bytes>,
    kill: watch::Sender<bool>,
    pid: oneshot::Receiver<u32>,
) {
    let mut feed = Some(feed);
    let mut pid = Some(pid);
    let mut known = None;
    while let Some(message) = asked.wait().await {
        match message {
            ChannelMsg::Data { data } => {
                // The command may have closed its input; what still comes is dropped.
                let _unread = feed.as_ref().map(|feed| feed.send(data));
            }
            ChannelMsg::Eof => feed = None,
            ChannelMsg::Signal { signal: Sig::KILL } => {
                kill.send_replace(true);
            }
            ChannelMsg::Signal { signal } => {
                if let Some(pid) = pid.take() {
                    known = pid.await.ok();
                }
                if let Some(pid) = known {
                    send(pid, &signal).await;
                }
            }
            ChannelMsg::Close => break,
            _ => {}
        }
    }
    // The kill switch must outlive the client: dropping it is not pulling it.
    drop(feed);
    kill.closed().await;
}

/// The process that we started waits for the one in the sandbox: that is the one to be told.
async fn send(waiting: u32, signal: &Sig) {
    let name = format!("{signal:?}");
    let Ok(children) = tokio::fs::read_to_string(format!("/proc/{waiting}/task/{waiting}/children")).await else {
        return;
    };
    for child in children.split_whitespace() {
        let told = tokio::process::Command::new("kill").args(["-s", &name, child]).output().await;
        if let Err(error) = told {
            tracing::warn!(%error, "a signal did not reach a command");
        }
    }
}

/// The client's data as a stream. The queue has no bound: a command that does not read its input must not hold up the others on the
/// connection, and how much may come is bounded by the window that the client was given.
struct Input {
    queue: mpsc::UnboundedReceiver<bytes::Bytes>,
    rest: bytes::Bytes,
}

impl tokio::io::AsyncRead for Input {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        buf: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        if self.rest.is_empty() {
            match std::task::ready!(self.queue.poll_recv(cx)) {
                Some(data) => self.rest = data,
                None => return std::task::Poll::Ready(Ok(())),
            }
        }
        let take = self.rest.len().min(buf.remaining());
        buf.put_slice(&self.rest.split_to(take));
        std::task::Poll::Ready(Ok(()))
    }
}
