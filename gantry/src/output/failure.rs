//! What went wrong, why, and what to do next.

use serde_json::json;

use super::{Colour, Output, write_err};
use crate::exit::{Exit, Failure};

impl Output {
    pub(crate) fn failure(self, failure: &Failure) -> Exit {
        let causes: Vec<String> = causes(&failure.error);
        if self.json {
            let (what, because) = causes.split_first().map_or(("", &[][..]), |(what, rest)| (what.as_str(), rest));
            let told = json!({ "error": what, "because": because, "next": failure.next, "exit": failure.exit as u8 });
            write_err(&format!("{told}\n"));
        } else {
            write_err(&self.in_words(&causes, failure.next.as_deref()));
        }
        failure.exit
    }

    fn in_words(self, causes: &[String], next: Option<&str>) -> String {
        let mut text = String::new();
        for (depth, cause) in causes.iter().enumerate() {
            let head = if depth == 0 { self.on_stderr(Colour::Bad, "error:") } else { "  because".to_owned() };
            text += &format!("{head} {cause}\n");
        }
        if let Some(next) = next {
            text += &format!("{} {next}\n", self.on_stderr(Colour::Busy, "next: "));
        }
        text
    }

    fn on_stderr(self, colour: Colour, text: &str) -> String {
        use std::io::IsTerminal as _;
        if self.colours && std::io::stderr().is_terminal() { colour.paint(text) } else { text.to_owned() }
    }
}

/// The chain of causes. Many messages quote their source; what was said already is not said again.
fn causes(error: &anyhow::Error) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    for cause in error.chain().map(ToString::to_string) {
        if !told.iter().any(|before| before.contains(&cause)) {
            told.push(cause);
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_was_quoted_is_not_told_twice() {
        let error = anyhow::anyhow!("refused").context("can't reach db: refused").context("opening the log");
        assert_eq!(causes(&error), ["opening the log", "can't reach db: refused"]);
    }
}
