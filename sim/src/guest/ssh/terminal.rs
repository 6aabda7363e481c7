//! A session with a terminal: `ssh -t`.

use std::process::ExitStatus;

use russh::server::Handle;
use russh::{ChannelId, ChannelMsg, ChannelReadHalf};
use tokio::process::Command;
use tokio::sync::mpsc;

use super::super::terminal::{self, Size, Typed};

/// What a client asked for its session.
pub(super) struct Wanted {
    pub(super) term: String,
    pub(super) size: Size,
}

pub(super) fn size(columns: u32, rows: u32) -> Size {
    let fitting = |count: u32| u16::try_from(count).unwrap_or(u16::MAX);
    Size { columns: fitting(columns), rows: fitting(rows) }
}

pub(super) async fn run(
    mut command: Command,
    wanted: Wanted,
    asked: ChannelReadHalf,
    handle: &Handle,
    id: ChannelId,
) -> std::io::Result<ExitStatus> {
    command.env("TERM", wanted.term);
    let (typing, typed) = mpsc::unbounded_channel();
    let (showing, mut shown) = mpsc::channel(16);
    let listening = tokio::spawn(listen(asked, typing));
    let show = async {
        while let Some(bytes) = shown.recv().await {
            let _gone = handle.data(id, bytes).await;
        }
    };
    let (status, ()) = tokio::join!(terminal::run(command, wanted.size, typed, showing), show);
    listening.abort();
    status
}

/// Until the client closes the session or is gone, which hangs up.
async fn listen(mut asked: ChannelReadHalf, typing: mpsc::UnboundedSender<Typed>) {
    while let Some(message) = asked.wait().await {
        let typed = match message {
            ChannelMsg::Data { data } => Typed::Keys(data),
            ChannelMsg::WindowChange { col_width, row_height, .. } => Typed::Size(size(col_width, row_height)),
            ChannelMsg::Close => return,
            _ => continue,
        };
        if typing.send(typed).is_err() {
            return;
        }
    }
}
