//! What a command reads: nothing, bytes, a secret, or a stream with back-pressure.

use bytes::Bytes;
use tokio::sync::mpsc;
use zeroize::Zeroizing;

use super::mailbox::Waker;
use super::secret::Secret;

#[derive(Default)]
pub enum Stdin {
    #[default]
    Empty,
    Bytes(Bytes),
    Secret(Secret),
    Stream(StdinReader),
}

impl From<Bytes> for Stdin {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<Secret> for Stdin {
    fn from(secret: Secret) -> Self {
        Self::Secret(secret)
    }
}

impl From<StdinReader> for Stdin {
    fn from(reader: StdinReader) -> Self {
        Self::Stream(reader)
    }
}

pub struct StdinReader(mpsc::Receiver<Bytes>);

/// The writing end; dropping it is the end of the command's input.
pub struct StdinWriter {
    chunks: Option<mpsc::Sender<Bytes>>,
    waker: Waker,
}

impl StdinWriter {
    pub(super) fn pair(waker: Waker) -> (StdinWriter, StdinReader) {
        let (chunks, reader) = mpsc::channel(8);
        (StdinWriter { chunks: Some(chunks), waker }, StdinReader(reader))
    }

    /// False when the command no longer reads.
    pub async fn write(&self, chunk: Bytes) -> bool {
        let Some(chunks) = &self.chunks else { return false };
        let taken = chunks.send(chunk).await.is_ok();
        self.waker.wake();
        taken
    }
}

impl Drop for StdinWriter {
    fn drop(&mut self) {
        self.chunks = None;
        self.waker.wake();
    }
}

enum Chunk {
    Plain(Bytes),
    Secret(Zeroizing<Vec<u8>>),
}

impl Chunk {
    fn bytes(&self) -> &[u8] {
        match self {
            Chunk::Plain(bytes) => bytes,
            Chunk::Secret(bytes) => bytes,
        }
    }
}

pub(super) enum Next<'a> {
    Write(&'a [u8]),
    Wait,
    End,
}

/// The input as the connection's thread feeds it: first the lines the wrapping script reads, then the command's.
pub(super) struct Feed {
    current: Option<(Chunk, usize)>,
    rest: Stdin,
}

impl Feed {
    pub(super) fn new(preface: String, rest: Stdin) -> Self {
        Self { current: Some((Chunk::Plain(preface.into()), 0)), rest }
    }

    /// The command's input, for a command that was not run (so only the preface can have been taken).
    pub(super) fn into_rest(self) -> Stdin {
        self.rest
    }

    pub(super) fn next(&mut self) -> Next<'_> {
        if self.current.as_ref().is_none_or(|(chunk, at)| *at >= chunk.bytes().len()) {
            self.current = None;
            let chunk = match std::mem::take(&mut self.rest) {
                Stdin::Empty => return Next::End,
                Stdin::Bytes(bytes) => Chunk::Plain(bytes),
                Stdin::Secret(secret) => Chunk::Secret(secret.into_inner()),
                Stdin::Stream(mut reader) => match reader.0.try_recv() {
                    Ok(bytes) => {
                        self.rest = Stdin::Stream(reader);
                        Chunk::Plain(bytes)
                    }
                    Err(mpsc::error::TryRecvError::Empty) => {
                        self.rest = Stdin::Stream(reader);
                        return Next::Wait;
                    }
                    Err(mpsc::error::TryRecvError::Disconnected) => return Next::End,
                },
            };
            if chunk.bytes().is_empty() {
                return Next::Wait;
            }
            self.current = Some((chunk, 0));
        }
        match &self.current {
            Some((chunk, at)) => Next::Write(&chunk.bytes()[*at..]),
            None => Next::Wait,
        }
    }

    pub(super) fn wrote(&mut self, count: usize) {
        if let Some((_, at)) = &mut self.current {
            *at += count;
        }
    }
}
