//! A command whose whole process group ends with us, also when we are killed.

use std::{
    os::unix::process::CommandExt as _,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};

/// Waits on a pipe that closes when we are gone. It also ends with the command, told by a line.
const WATCH: &str = r#"trap '' INT TERM HUP
read -r done && exit 0
kill -TERM -- "-$1" 2>/dev/null"#;

/// # Errors
/// When the command can't be started or says that it failed.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    each_line(command, None)
}

/// What is done with a line that the command writes.
pub(crate) type Line<'a> = &'a mut dyn FnMut(&str);

/// The same; what it writes goes to `line`, when that is given.
///
/// # Errors
/// When the command can't be started or says that it failed.
pub(crate) fn each_line(command: &mut Command, line: Option<Line<'_>>) -> Result<()> {
    use std::io::{BufRead as _, BufReader, Write as _};
    if line.is_some() {
        command.stdout(Stdio::piped());
    }
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child =
        command.process_group(0).stdin(Stdio::null()).spawn().with_context(|| format!("starting {name}"))?;
    let mut watch = Command::new("sh")
        .args(["-c", WATCH, "watch", &child.id().to_string()])
        .process_group(0)
        .stdin(Stdio::piped())
        .spawn()?;
    if let (Some(line), Some(written)) = (line, child.stdout.take()) {
        for text in BufReader::new(written).lines() {
            line(&text?);
        }
    }
    let status = child.wait()?;
    if let Some(mut pipe) = watch.stdin.take() {
        pipe.write_all(b"done\n")?;
    }
    watch.wait()?;
    ensure!(status.success(), "{name} failed ({status})");
    Ok(())
}
