//! The wrapping script around every command, on the host and in the guest alike.

use super::command::Command;
use super::error::ShellError;
use super::quote::quote;

/// A longer command line does not fit into libssh2's packet; large input goes by standard input.
const LONGEST: usize = 30_000;

/// Marks every process of a command: it is in the wrapping shell's own command line and in the environment of all it
/// starts, so that ending a command finds them wherever they went, in a container's namespaces too.
pub(super) const TAG: &str = "GANTRY_RUN";

/// Reads the nonce from the first line of input, runs the command with the rest, and says how it ended. The shells
/// read a pipe byte by byte for `read`, so the command gets all that follows. `exec` in a subshell: a program is never
/// taken for a builtin (`exit`) that would end this script.
pub(super) fn wrap(command: &Command, tag: &str) -> Result<Vec<u8>, ShellError> {
    command.check()?;
    let mut script = format!("IFS= read -r n; export {TAG}={tag}; (").into_bytes();
    for (name, value) in &command.env {
        script.extend_from_slice(format!("export {name}=").as_bytes());
        script.extend(quote(value.as_bytes()));
        script.extend_from_slice(b"; ");
    }
    script.extend_from_slice(b"exec ");
    script.extend(quote(command.program.as_bytes()));
    for argument in &command.arguments {
        script.push(b' ');
        script.extend(quote(argument));
    }
    script.extend_from_slice(b"); c=$?; printf '__rc=%s=%d\\n' \"$n\" \"$c\" >&2; exit \"$c\"");
    if script.len() > LONGEST {
        return Err(ShellError::NotACommand("its arguments are longer than 30,000 bytes; use standard input"));
    }
    Ok(script)
}
