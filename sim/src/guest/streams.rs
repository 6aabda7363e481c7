//! Carrying a process's streams to somebody far away.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::unix::pipe;
use tokio::sync::watch;

/// Copies what a process writes until the stream ends, or until the process has ended and all it wrote is through: a daemon that it
/// left behind holds the stream open for ever, but its starter is done.
pub(super) async fn outward(
    from: OwnedFd,
    mut to: impl AsyncWrite + Unpin,
    mut ended: watch::Receiver<bool>,
) -> io::Result<()> {
    let mut from = pipe::Receiver::from_owned_fd(from)?;
    let mut buffer = vec![0; 64 << 10];
    let mut heard = true;
    loop {
        let read = tokio::select! {
            read = from.read(&mut buffer) => read?,
            () = turned(&mut ended) => break,
        };
        if read == 0 {
            return Ok(());
        }
        // A reader that went away must not stop the process: it learns of it as it would from a closed connection.
        heard = heard && to.write_all(&buffer[..read]).await.is_ok() && to.flush().await.is_ok();
        if !heard {
            return Ok(());
        }
    }
    // The runtime may not have heard yet that there is more to read, so ask the pipe itself.
    let mut rest = File::from(from.into_nonblocking_fd()?);
    loop {
        match rest.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => to.write_all(&buffer[..read]).await?,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    to.flush().await?;
    // What a daemon says later is nobody's, but it must be able to say it.
    let mut left = pipe::Receiver::from_owned_fd(rest.into())?;
    tokio::spawn(async move {
        let mut nowhere = tokio::io::sink();
        if let Err(error) = tokio::io::copy(&mut left, &mut nowhere).await {
            tracing::debug!(%error, "a daemon's output ended");
        }
    });
    Ok(())
}

/// Returns when the switch is turned on; never, when nobody can turn it any more.
pub(super) async fn turned(switch: &mut watch::Receiver<bool>) {
    if switch.wait_for(|on| *on).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Copies what somebody sends to a process, and closes its input at the end.
pub(super) async fn inward(mut from: impl AsyncRead + Unpin, mut to: tokio::process::ChildStdin) {
    // The process may end before it has read everything; that is its good right.
    if let Err(error) = tokio::io::copy(&mut from, &mut to).await {
        tracing::debug!(%error, "a command did not take all of its input");
    }
}
