//! What goes into a command and what comes out of it.

use std::io::{ErrorKind, Read, Write};
use std::sync::atomic::Ordering;

use bytes::Bytes;
use ssh2::{ErrorCode, Session};
use tokio::sync::mpsc::error::TrySendError;

use super::super::line::Stream;
use super::super::running::Piece;
use super::super::stdin::Next;
use super::{EAGAIN, Live};

impl Live {
    pub(super) fn write(&mut self, session: &Session) -> Result<bool, String> {
        let (Some(channel), Some(feed)) = (&mut self.channel, &mut self.feed) else { return Ok(false) };
        let unwanted = !self.half_sent && (self.killing.is_some() || channel.eof());
        if unwanted {
            self.feed = None;
            return Ok(true);
        }
        match feed.next() {
            Next::Wait => Ok(false),
            Next::Write(bytes) => match channel.write(bytes) {
                Ok(count) => {
                    feed.wrote(count);
                    self.half_sent = false;
                    Ok(count > 0)
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.half_sent = outbound(session);
                    Ok(false)
                }
                Err(error) => match ssh2::Error::last_session_error(session).map(|error| error.code()) {
                    // The command has closed its input: it does not want the rest.
                    Some(ErrorCode::Session(-26 | -27)) => {
                        self.feed = None;
                        Ok(true)
                    }
                    _ => Err(error.to_string()),
                },
            },
            Next::End => match channel.send_eof() {
                Err(error) if error.code() == EAGAIN => {
                    self.half_sent = outbound(session);
                    Ok(false)
                }
                _ => {
                    self.half_sent = false;
                    self.feed = None;
                    Ok(true)
                }
            },
        }
    }

    pub(super) fn read(&mut self, stream: Stream) -> Result<bool, String> {
        let slot = stream as usize;
        if let Some(piece) = self.unsent[slot].take() {
            return Ok(self.deliver(piece));
        }
        let Some(channel) = &mut self.channel else { return Ok(false) };
        let mut bytes = [0; 32 * 1024];
        let read = match stream {
            Stream::Out => channel.read(&mut bytes),
            Stream::Err => channel.stderr().read(&mut bytes),
        };
        let own = match read {
            Ok(0) if stream == Stream::Err && channel.eof() => self.scanner.end(),
            Ok(0) => return Ok(false),
            Ok(count) if stream == Stream::Err => {
                let own = self.scanner.push(&bytes[..count]);
                if own.is_empty() {
                    return Ok(true);
                }
                own
            }
            Ok(count) => bytes[..count].to_vec(),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error.to_string()),
        };
        if own.is_empty() {
            return Ok(false);
        }
        self.deliver(Piece { stream, bytes: Bytes::from(own) });
        Ok(true)
    }

    /// False when the reader is full: then nothing more is read from the channel, its window closes, and the command
    /// itself waits.
    fn deliver(&mut self, piece: Piece) -> bool {
        let Some(job) = &self.job else { return true };
        job.signals.full.store(true, Ordering::Release);
        match job.output.try_send(piece) {
            Err(TrySendError::Full(piece)) => {
                let slot = piece.stream as usize;
                self.unsent[slot] = Some(piece);
                false
            }
            Ok(()) | Err(TrySendError::Closed(_)) => {
                job.signals.full.store(self.unsent.iter().any(Option::is_some), Ordering::Release);
                true
            }
        }
    }
}

fn outbound(session: &Session) -> bool {
    matches!(session.block_directions(), ssh2::BlockDirections::Outbound | ssh2::BlockDirections::Both)
}
