//! Files into and out of a container, streamed through the command that writes or reads them.
//!
//! Not with `pct push` and `pct pull`: they need a file on the host in between, two more round trips, and end with 0
//! even when the copy failed. Here one command writes a new file beside the target, compares its checksum, and only
//! then puts it in the target's place: a copy that was cut off changes nothing.

use std::io;
use std::path::Path;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::error::GuestError;
use super::line::Stream;
use super::pct::Guest;
use super::running::Piece;
use super::stdin::Stdin;

/// Enough for the largest file over a slow line; a stalled one is found by the connection.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(3600);
const CHUNK: usize = 64 * 1024;

/// Whose a pushed file is, and who may read it. Names are those of the container.
#[derive(Clone, Debug)]
pub struct Owner {
    pub mode: u32,
    pub user: String,
    pub group: String,
}

impl Owner {
    pub fn root(mode: u32) -> Self {
        Self { mode, user: "root".to_owned(), group: "root".to_owned() }
    }
}

/// What a pulled file is like in the container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pulled {
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub size: u64,
}

/// Arguments: target, mode, user, group, checksum. 64 + what failed, so that no code of a tool is taken for it.
const PUSH: &str = r#"
directory=${1%/*}
[ -d "${directory:=/}" ] || mkdir -p -- "$directory" || exit 65
new="$1.gantry-$$"; trap 'rm -f -- "$new"' EXIT; umask 077
cat >"$new" || exit 65
set -- "$@" $(sha256sum <"$new")
[ "$6" = "$5" ] || exit 66
chown -- "$3:$4" "$new" || exit 67
chmod -- "$2" "$new" || exit 68
[ ! -d "$1" ] || exit 69
mv -f -- "$new" "$1" || exit 70"#;

/// The checksum is of what was read, so a file that changes meanwhile is found out.
const PULL: &str = r#"
[ -f "$1" ] || { echo "no such file" >&2; exit 65; }
echo "stat $(stat -c '%a %u %g %s' -- "$1")" >&2 || exit 66
cat -- "$1" || exit 67
echo "sum $(sha256sum <"$1")" >&2"#;

impl Guest {
    /// Writes a file, whole or not at all, and the directories that it is to be in.
    pub async fn push(
        &self,
        content: impl Into<Stdin>,
        sha256: [u8; 32],
        target: &str,
        owner: &Owner,
    ) -> Result<(), GuestError> {
        let mode = format!("{:o}", owner.mode & 0o7777);
        let script = Guest::sh(PUSH).args([target, &mode, &owner.user, &owner.group, &hex::encode(sha256)]);
        let output = self.output(script.stdin(content).limit(LIMIT)).await?;
        let reason = match output.code {
            0 => return Ok(()),
            65 => "the new file cannot be written",
            66 => "what arrived is not what was sent",
            67 => "its owner cannot be set",
            68 => "its mode cannot be set",
            69 => "there is a directory of that name",
            _ => "it cannot be put in place",
        };
        Err(self.copy_failed(target, format!("{reason}: {}", output.said())))
    }

    pub async fn push_bytes(&self, content: Bytes, target: &str, owner: &Owner) -> Result<(), GuestError> {
        let sha256 = Sha256::digest(&content).into();
        self.push(content, sha256, target, owner).await
    }

    /// Streams a file of this machine; it is read twice, first for its checksum.
    pub async fn push_file(&self, source: &Path, target: &str, owner: &Owner) -> Result<(), GuestError> {
        let mut sum = Sha256::new();
        each_chunk(source, async |chunk| {
            sum.update(&chunk);
            true
        })
        .await?;
        let (writer, reader) = self.shell.stdin();
        let feed = async move { each_chunk(source, async |chunk| writer.write(chunk).await).await };
        let (fed, pushed) = tokio::join!(feed, self.push(reader, sum.finalize().into(), target, owner));
        fed.and(pushed)
    }

    /// Streams a file of the container into `sink`.
    pub async fn pull(&self, source: &str, sink: &mut (impl AsyncWriteExt + Unpin)) -> Result<Pulled, GuestError> {
        let mut running = self.start(Guest::sh(PULL).arg(source).limit(LIMIT))?;
        let (mut sum, mut size, mut said) = (Sha256::new(), 0, Vec::new());
        while let Some(Piece { stream, bytes }) = running.next().await {
            if stream == Stream::Err {
                said.extend_from_slice(&bytes[..bytes.len().min(4096 - said.len().min(4096))]);
                continue;
            }
            sum.update(&bytes);
            size += bytes.len() as u64;
            sink.write_all(&bytes).await.map_err(local)?;
        }
        let codes = running.codes().await?;
        let code = self.classify(codes, "sh", &said)?;
        let said = String::from_utf8_lossy(&said).into_owned();
        if code != 0 {
            return Err(self.copy_failed(source, said.trim().to_owned()));
        }
        sink.flush().await.map_err(local)?;
        let sent = hex::encode(sum.finalize());
        match pulled(&said) {
            Some((pulled, there)) if there == sent && pulled.size == size => Ok(pulled),
            _ => Err(self.copy_failed(source, "it changed while it was read".to_owned())),
        }
    }

    pub async fn pull_file(&self, source: &str, target: &Path) -> Result<Pulled, GuestError> {
        let mut file = File::create(target).await.map_err(local)?;
        self.pull(source, &mut file).await
    }

    fn copy_failed(&self, path: &str, reason: String) -> GuestError {
        GuestError::Copy { vmid: self.vmid, path: path.to_owned(), reason }
    }
}

fn pulled(said: &str) -> Option<(Pulled, &str)> {
    let field = |name| said.lines().find_map(|line| line.strip_prefix(name));
    let mut stat = field("stat ")?.split(' ');
    let pulled = Pulled {
        mode: u32::from_str_radix(stat.next()?, 8).ok()?,
        uid: stat.next()?.parse().ok()?,
        gid: stat.next()?.parse().ok()?,
        size: stat.next()?.parse().ok()?,
    };
    Some((pulled, field("sum ")?.split(' ').next()?))
}

async fn each_chunk(path: &Path, mut take: impl AsyncFnMut(Bytes) -> bool) -> Result<(), GuestError> {
    let mut file = File::open(path).await.map_err(local)?;
    loop {
        let mut chunk = Vec::with_capacity(CHUNK);
        (&mut file).take(CHUNK as u64).read_to_end(&mut chunk).await.map_err(local)?;
        if chunk.is_empty() || !take(chunk.into()).await {
            return Ok(());
        }
    }
}

fn local(error: io::Error) -> GuestError {
    GuestError::Local(error.to_string())
}
