//! Asking the person at the terminal; nobody else is asked.

use std::io::{BufRead as _, IsTerminal as _, Read as _};

use platform::vault::SecretText;

use super::write_err;
use crate::exit::{Exit, Failure, Outcome, While as _};

/// A yes; what is not a terminal has to say it beforehand.
pub(crate) fn confirm(question: &str, beforehand: &str) -> Outcome<()> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::new(Exit::Usage, format!("nobody is at the terminal to say yes: {question}"))
            .next(format!("give {beforehand}")));
    }
    write_err(&format!("{question} [y/N] "));
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).during("reading the answer")?;
    if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    Err(Failure::new(Exit::Cancelled, "not done, as you said"))
}

/// A secret from the environment, else from standard input: the command line would show it to everybody.
#[expect(clippy::disallowed_methods, reason = "a secret for one command is no setting, and is not to be shown as one")]
pub(crate) fn secret_input(variable: &str, what: &str) -> Outcome<SecretText> {
    let set = std::env::var(variable).unwrap_or_default();
    if !set.is_empty() {
        return Ok(set.into());
    }
    let mut text = String::new();
    if std::io::stdin().is_terminal() {
        write_err(&format!("{what} (it is shown while you type; or set {variable}): "));
        std::io::stdin().lock().read_line(&mut text).during(format!("reading {what}"))?;
    } else {
        std::io::stdin().lock().read_to_string(&mut text).during(format!("reading {what}"))?;
    }
    let secret = text.trim().to_owned();
    if secret.is_empty() {
        return Err(Failure::new(Exit::Usage, format!("{what} is missing"))
            .next(format!("set {variable}, or write it to standard input")));
    }
    Ok(secret.into())
}
