//! A command that runs: its output as it comes, then its end. Dropping it ends the command's processes on the host.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::error::ShellError;
use super::handle::Shell;
use super::line::{Line, Splitter, Stream};
use super::mailbox::{Codes, Signals};

/// Some bytes of output.
#[derive(Clone, Debug)]
pub struct Piece {
    pub stream: Stream,
    pub bytes: Bytes,
}

/// The code a command really ended with; 128 + n when signal n ended it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    pub code: u8,
}

impl Exit {
    pub fn success(self) -> bool {
        self.code == 0
    }
}

/// What a short command wrote, each stream up to a bound.
#[derive(Clone, Debug)]
pub struct Output {
    pub code: u8,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// More was written than is kept.
    pub cut: bool,
}

impl Output {
    /// More than this is for [`Shell::exec`], by the line.
    pub(super) const BOUND: usize = 1024 * 1024;

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim_end().to_owned()
    }

    /// The last words on stderr, for an error.
    pub fn said(&self) -> String {
        last_words(&self.stderr)
    }
}

pub(super) fn last_words(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(&stderr[stderr.len().saturating_sub(400)..]).trim().to_owned();
    if text.is_empty() { "it said nothing".to_owned() } else { text }
}

pub struct Running {
    pub(super) shell: Shell,
    pub(super) output: mpsc::Receiver<Piece>,
    pub(super) signals: Arc<Signals>,
    pub(super) done: oneshot::Receiver<Result<Codes, ShellError>>,
    pub(super) over: bool,
    /// As long as the command.
    pub(super) span: tracing::Span,
}

impl Running {
    /// The next output, `None` when there is no more.
    pub async fn next(&mut self) -> Option<Piece> {
        let piece = self.output.recv().await;
        if self.signals.full.swap(false, Ordering::AcqRel) {
            self.shell.wake();
        }
        piece
    }

    /// The end; output that was not taken is thrown away.
    pub async fn wait(self) -> Result<Exit, ShellError> {
        self.codes().await.map(|codes| Exit { code: codes.host })
    }

    pub(super) async fn codes(mut self) -> Result<Codes, ShellError> {
        while self.next().await.is_some() {}
        let result = (&mut self.done).await;
        self.over = true;
        let result = result.unwrap_or(Err(ShellError::Closed));
        match &result {
            Ok(codes) => self.span.record("code", codes.guest.unwrap_or(codes.host)),
            Err(error) => self.span.record("error", tracing::field::display(error)),
        };
        result
    }

    /// Ends the command's processes and returns when they are gone (or could not be reached).
    pub async fn kill(mut self) {
        self.signals.cancelled.store(true, Ordering::Release);
        self.shell.wake();
        while self.next().await.is_some() {}
        let _ = (&mut self.done).await;
        self.over = true;
    }

    pub(super) async fn lines(mut self, mut on_line: impl FnMut(Line)) -> Result<Codes, ShellError> {
        let mut splitters = [Splitter::new(Stream::Out), Splitter::new(Stream::Err)];
        while let Some(piece) = self.next().await {
            splitters[piece.stream as usize].push(&piece.bytes, &mut on_line);
        }
        for splitter in &mut splitters {
            splitter.end(&mut on_line);
        }
        self.codes().await
    }

    pub(super) async fn collect(mut self) -> Result<(Codes, Output), ShellError> {
        let mut output = Output { code: 0, stdout: Vec::new(), stderr: Vec::new(), cut: false };
        while let Some(Piece { stream, bytes }) = self.next().await {
            let kept = if stream == Stream::Out { &mut output.stdout } else { &mut output.stderr };
            let room = Output::BOUND - kept.len();
            output.cut |= bytes.len() > room;
            kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
        let codes = self.codes().await?;
        output.code = codes.host;
        Ok((codes, output))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.over {
            self.signals.cancelled.store(true, Ordering::Release);
            self.shell.wake();
        }
    }
}
