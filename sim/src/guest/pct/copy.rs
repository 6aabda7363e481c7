//! `pct push` and `pct pull`. As in the real one a failed copy is told on standard error and still ends with code 0.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::Stdio;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use super::{Call, Files, Pct, Refusal};

/// Takes the new file's content from standard input. A path is resolved inside the machine, so no link leads out of it.
const WRITE: &str = r#"[ -d "$1" ] && { echo "failed to create file: Is a directory" >&2; exit 1; }
[ -d "${1%/*}/" ] || { echo "failed to create file: No such file or directory" >&2; exit 1; }
if [ -n "$3" ]; then case $3 in *[!0-9]*) id=$(sed -n "s/^$3:[^:]*:\([0-9]*\):.*/\1/p" /etc/passwd); [ -n "$id" ] || { echo "getpwnam() failed: $3" >&2; exit 1; };; esac; fi
if [ -n "$4" ]; then case $4 in *[!0-9]*) id=$(sed -n "s/^$4:[^:]*:\([0-9]*\):.*/\1/p" /etc/group); [ -n "$id" ] || { echo "getgrnam() failed: $4" >&2; exit 1; };; esac; fi
cat > "$1" && chmod "${2:-0644}" "$1" && chown "${3:-0}:${4:-0}" "$1""#;

#[derive(Default)]
struct Options {
    perms: Option<String>,
    user: Option<String>,
    group: Option<String>,
    words: Vec<OsString>,
}

impl Pct {
    pub(super) async fn push(&self, call: &mut Call, rest: &[&OsStr]) -> Result<u8, Refusal> {
        let options = options(rest)?;
        let [vmid_word, source, target] = exactly(&options, "push <vmid> <file> <destination> [OPTIONS]")?;
        let ct = self.container(&[vmid_word.as_os_str()])?;
        if !ct.running {
            return Err(Refusal(255, "can only push files to a running CT".to_owned()));
        }
        if let Some(perms) = &options.perms
            && (perms.is_empty() || !perms.chars().all(|c| ('0'..='7').contains(&c)))
        {
            return fail(call, &format!("bad permissions: {perms}")).await;
        }
        let script = [&options.perms, &options.user, &options.group].map(|value| value.clone().unwrap_or_default());
        let mut argv: Vec<OsString> = ["/bin/sh", "-c", WRITE, "push"].map(OsString::from).to_vec();
        argv.push(target.clone());
        argv.extend(script.map(OsString::from));
        let sink = self.guests.command(ct.vmid, &argv).map_err(|error| Refusal(255, error.to_string()))?;
        let copied = if *source == "/dev/stdin" {
            let stdin = std::mem::replace(&mut call.stdin, Box::new(tokio::io::empty()));
            copy(stdin, sink).await
        } else {
            match self.reader(call, source).await {
                Ok((source, child)) => copy(source, sink).await.and(settled(child).await),
                Err(text) => Err(text),
            }
        };
        match copied {
            Ok(()) => Ok(0),
            Err(text) => fail(call, &text).await,
        }
    }

    pub(super) async fn pull(&self, call: &mut Call, rest: &[&OsStr]) -> Result<u8, Refusal> {
        let options = options(rest)?;
        let [vmid_word, source, target] = exactly(&options, "pull <vmid> <path> <destination> [OPTIONS]")?;
        let ct = self.container(&[vmid_word.as_os_str()])?;
        if !ct.running {
            return Err(Refusal(255, "can only pull files from a running CT".to_owned()));
        }
        let read = ["/bin/cat".into(), "--".into(), source.clone()];
        let command = self.guests.command(ct.vmid, &read).map_err(|error| Refusal(255, error.to_string()))?;
        let copied = match spawn_reader(command).await {
            Err(text) => Err(text),
            Ok((source, child)) => {
                let written = match &call.files {
                    Files::Node(node) => {
                        let mut argv: Vec<OsString> = ["/bin/sh", "-c", WRITE, "pull"].map(OsString::from).to_vec();
                        argv.push(absolute(call, target).into_os_string());
                        argv.extend(
                            [&options.perms, &options.user, &options.group]
                                .map(|value| OsString::from(value.clone().unwrap_or_default())),
                        );
                        match node.command(&argv) {
                            Ok(sink) => copy(source, sink).await,
                            Err(error) => Err(error.to_string()),
                        }
                    }
                    Files::Here => to_file(source, &absolute(call, target), options.perms.as_deref()).await,
                };
                written.and(settled(child).await)
            }
        };
        match copied {
            Ok(()) => Ok(0),
            Err(text) => fail(call, &text).await,
        }
    }

    async fn reader(
        &self,
        call: &mut Call,
        source: &OsStr,
    ) -> Result<(Box<dyn tokio::io::AsyncRead + Send + Unpin>, Option<Child>), String> {
        let path = absolute(call, source);
        match &call.files {
            Files::Here => {
                let file = tokio::fs::File::open(&path)
                    .await
                    .map_err(|e| format!("failed to open {} for reading: {}", path.display(), plain(&e)))?;
                Ok((Box::new(file), None))
            }
            Files::Node(node) => {
                let command = node
                    .command(&["/bin/cat".into(), "--".into(), path.into_os_string()])
                    .map_err(|e| e.to_string())?;
                // In the words of pct, not of the program that reads for it.
                spawn_reader(command).await.map_err(|said| {
                    let why = said.rsplit(": ").next().unwrap_or_default().to_owned();
                    format!("failed to open {} for reading: {why}", source.display())
                })
            }
        }
    }
}

type Reader = Box<dyn tokio::io::AsyncRead + Send + Unpin>;

/// Starts a reading command. A file that cannot be opened shows before the other side is touched.
async fn spawn_reader(mut command: Command) -> Result<(Reader, Option<Child>), String> {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(|e| e.to_string())?;
    let Some(mut stdout) = child.stdout.take() else { return Err("no stream".to_owned()) };
    let mut first = vec![0; 64 << 10];
    let read = stdout.read(&mut first).await.map_err(|e| e.to_string())?;
    first.truncate(read);
    if read == 0 {
        settled(Some(child)).await?;
        return Ok((Box::new(tokio::io::empty()), None));
    }
    Ok((Box::new(std::io::Cursor::new(first).chain(stdout)), Some(child)))
}

async fn settled(child: Option<Child>) -> Result<(), String> {
    let Some(child) = child else { return Ok(()) };
    let output = child.wait_with_output().await.map_err(|e| e.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()) }
}

async fn copy(mut from: impl tokio::io::AsyncRead + Unpin, mut sink: Command) -> Result<(), String> {
    let mut child =
        sink.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().map_err(|e| e.to_string())?;
    let Some(mut to) = child.stdin.take() else { return Err("no stream".to_owned()) };
    let copied = tokio::io::copy_buf(&mut tokio::io::BufReader::with_capacity(256 << 10, &mut from), &mut to).await;
    drop(to);
    // Why the other side stopped reading is the better reason.
    settled(Some(child)).await?;
    copied.map(|_| ()).map_err(|e| e.to_string())
}

async fn to_file(
    mut from: impl tokio::io::AsyncRead + Unpin,
    path: &std::path::Path,
    perms: Option<&str>,
) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    let refused = |e: std::io::Error| format!("failed to create file {}: {}", path.display(), plain(&e));
    let mut file = tokio::fs::File::create(path).await.map_err(refused)?;
    tokio::io::copy(&mut from, &mut file).await.map_err(refused)?;
    file.flush().await.map_err(refused)?;
    let mode = perms.and_then(|perms| u32::from_str_radix(perms, 8).ok()).unwrap_or(0o644);
    file.set_permissions(std::fs::Permissions::from_mode(mode)).await.map_err(refused)
}

fn plain(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "No such file or directory".to_owned(),
        std::io::ErrorKind::PermissionDenied => "Permission denied".to_owned(),
        _ => error.to_string(),
    }
}

fn absolute(call: &Call, path: &OsStr) -> PathBuf {
    call.cwd.join(path)
}

async fn fail(call: &mut Call, text: &str) -> Result<u8, Refusal> {
    let _unheard = call.stderr.write_all(format!("{text}\n").as_bytes()).await;
    let _unheard = call.stderr.flush().await;
    Ok(0)
}

fn options(rest: &[&OsStr]) -> Result<Options, Refusal> {
    let mut options = Options::default();
    let mut rest = rest.iter();
    while let Some(word) = rest.next() {
        let text = word.to_string_lossy();
        let Some(name) = text.strip_prefix("--").or_else(|| text.strip_prefix('-').filter(|name| !name.is_empty()))
        else {
            options.words.push((*word).to_owned());
            continue;
        };
        let (name, value) = match name.split_once('=') {
            Some((name, value)) => (name.to_owned(), value.to_owned()),
            None => {
                (name.to_owned(), rest.next().map(|value| value.to_string_lossy().into_owned()).unwrap_or_default())
            }
        };
        match name.as_str() {
            "perms" => options.perms = Some(value),
            "user" => options.user = Some(value),
            "group" => options.group = Some(value),
            _ => return Err(Refusal(255, format!("Unknown option: {name}\n400 unable to parse option"))),
        }
    }
    Ok(options)
}

fn exactly<'a>(options: &'a Options, usage: &str) -> Result<[&'a OsString; 3], Refusal> {
    match options.words.as_slice() {
        [vmid, source, target] => Ok([vmid, source, target]),
        few if few.len() < 3 => Err(Refusal(255, format!("400 not enough arguments\npct {usage}"))),
        _ => Err(Refusal(255, format!("400 too many arguments\npct {usage}"))),
    }
}
