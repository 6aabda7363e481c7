//! Commands in a container, through `pct exec` on its host.
//!
//! Each costs about 0.65 s on a real host (Perl's start): what belongs together goes into one script. The container's
//! environment is made by `env -i` and not by `pct exec --keep-env`, which hosts before 2024 do not know.

use super::command::Command;
use super::error::{GuestError, ShellError};
use super::handle::{Errand, Shell, Timing};
use super::line::{Line, Stream};
use super::mailbox::Codes;
use super::running::{Exit, Output, Running, last_words};
use super::script::wrap;
use super::secret::Secret;
use super::sentinel::{Nonce, token};

const ENVIRONMENT: [&str; 3] =
    ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"];

/// A container on a host.
#[derive(Clone)]
pub struct Guest {
    pub(super) shell: Shell,
    pub(super) vmid: u32,
}

impl Shell {
    pub fn guest(&self, vmid: u32) -> Guest {
        Guest { shell: self.clone(), vmid }
    }
}

impl Guest {
    pub fn vmid(&self) -> u32 {
        self.vmid
    }

    /// Runs a command in the container to its end; the code is the command's own, never `pct`'s.
    pub async fn exec(&self, command: Command, mut on_line: impl FnMut(Line)) -> Result<Exit, GuestError> {
        let timing = Timing::new(&self.shell, &command.program, self.vmid);
        let program = command.program.clone();
        let mut last = Vec::new();
        let codes = match self.start(command) {
            Ok(running) => {
                let keep = |line: Line| {
                    if line.stream == Stream::Err {
                        last.clear();
                        last.extend_from_slice(line.text.as_bytes());
                    }
                    on_line(line);
                };
                running.lines(keep).await
            }
            Err(error) => Err(error),
        };
        timing.end(&codes);
        Ok(Exit { code: self.classify(codes?, &program, &last)? })
    }

    /// Like [`Guest::exec`], keeping what it wrote (the first MiB of each stream).
    pub async fn output(&self, command: Command) -> Result<Output, GuestError> {
        let timing = Timing::new(&self.shell, &command.program, self.vmid);
        let program = command.program.clone();
        let result = match self.start(command) {
            Ok(running) => running.collect().await,
            Err(error) => Err(error),
        };
        let (codes, mut output) = result.inspect_err(|error| timing.failed(error))?;
        timing.end(&Ok(codes));
        output.code = self.classify(codes, &program, &output.stderr)?;
        Ok(output)
    }

    /// Several commands in one round trip: a script for the guest's `sh`, with its arguments.
    pub(super) fn sh(script: &str) -> Command {
        Command::new("sh").arg("-c").arg(script).arg("sh")
    }

    /// Changes root's password. It goes by standard input all the way to `chpasswd`.
    pub async fn set_root_password(&self, password: &Secret) -> Result<(), GuestError> {
        let bytes = password.expose();
        if bytes.is_empty() {
            return Err(GuestError::Password("it is empty"));
        }
        if bytes.iter().any(|&byte| byte < b' ') {
            return Err(GuestError::Password("it holds a line end or another control character"));
        }
        let line = Secret::new([b"root:", bytes, b"\n"].concat());
        let output = self.output(Command::new("chpasswd").stdin(line)).await?;
        if output.code == 0 {
            return Ok(());
        }
        Err(ShellError::Failed {
            host: self.shell.host().to_owned(),
            program: "chpasswd".to_owned(),
            code: output.code,
            said: output.said(),
        }
        .into())
    }

    pub(super) fn start(&self, command: Command) -> Result<Running, ShellError> {
        let tag = token();
        let inner = wrap(&command, &tag)?;
        let vmid = self.vmid.to_string();
        let outer = Command::new("pct").args(["exec", &vmid, "--", "/usr/bin/env", "-i"]).args(ENVIRONMENT);
        let mut outer = outer.args(["sh", "-c"]);
        outer.arguments.push(inner);
        self.shell.send(Errand {
            script: wrap(&outer, &tag)?,
            tag,
            nonces: vec![Nonce::new(), Nonce::new()],
            lane: self.vmid,
            program: command.program,
            stdin: command.stdin,
            limit: command.limit,
        })
    }

    /// The command's own code, or why it has none.
    pub(super) fn classify(&self, codes: Codes, program: &str, stderr: &[u8]) -> Result<u8, GuestError> {
        if let Some(code) = codes.guest {
            return Ok(code);
        }
        let (host, vmid) = (self.shell.host().to_owned(), self.vmid);
        let said = last_words(stderr);
        Err(match codes.host {
            2 if said.contains("does not exist") => GuestError::Unknown { host, vmid },
            255 if said.contains("not running") => GuestError::NotRunning { host, vmid },
            code => GuestError::Lost { host, vmid, program: program.to_owned(), code, said },
        })
    }
}
