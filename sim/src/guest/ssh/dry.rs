//! What stands for a command where none is run.

/// The command line, marked as not run. When its last part reports the exit code on standard output (`…; printf '\n__rc=%d\n' $?`), as
/// callers do to tell a finished command from a broken connection, that report is given for code 0.
pub(super) fn echo(line: &str) -> String {
    let mut text = String::new();
    for part in line.lines() {
        text.push_str("# dry shell, not run: ");
        text.push_str(part);
        text.push('\n');
    }
    text.push_str(&report(line).unwrap_or_default());
    text
}

fn report(line: &str) -> Option<String> {
    let last = line.trim_end().rsplit(';').next()?.trim();
    let format = last
        .strip_prefix("printf '")?
        .strip_suffix("$?")
        .or_else(|| last.strip_prefix("printf '")?.strip_suffix("\"$?\""))?;
    let format = format.trim_end().strip_suffix('\'')?;
    Some(format.replace("\\n", "\n").replace("%d", "0").replace("%s", "0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_echoed_and_its_sentinel_given() {
        assert_eq!(echo("rm -rf /"), "# dry shell, not run: rm -rf /\n");
        assert_eq!(
            echo("x; printf '\\n__rc=%d\\n' $?"),
            "# dry shell, not run: x; printf '\\n__rc=%d\\n' $?\n\n__rc=0\n"
        );
    }
}
