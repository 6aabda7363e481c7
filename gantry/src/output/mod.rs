//! Everything that is said on standard output and standard error goes through here.

mod ask;
mod colour;
mod failure;
mod follow;
mod table;
pub(crate) mod words;

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

pub(crate) use ask::{confirm, secret_input};
pub(crate) use colour::Colour;
pub(crate) use table::Table;

use crate::exit::Exit;

/// How to speak: to a person at a terminal, or to a program.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
    colours: bool,
    terminal: bool,
}

impl Output {
    pub(crate) fn new(json: bool, no_color: bool) -> Self {
        let terminal = std::io::stdout().is_terminal();
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && !no_color;
        Self { json, colours: terminal && wanted && !json, terminal }
    }

    pub(crate) const fn is_json(self) -> bool {
        self.json
    }

    /// A line for people; programs are not told.
    pub(crate) fn say(self, line: impl AsRef<str>) {
        if !self.json {
            write_out(&format!("{}\n", line.as_ref()));
        }
    }

    /// A line for people that is no part of the answer, whoever reads that.
    pub(crate) fn say_aside(self, line: &str) {
        write_err(&format!("{line}\n"));
    }

    /// The answer: as JSON for programs, else in words.
    pub(crate) fn answer(self, value: &impl serde::Serialize, words: impl FnOnce() -> String) {
        if self.json {
            let text = serde_json::to_string(value).unwrap_or_default();
            write_out(&format!("{text}\n"));
        } else {
            let words = words();
            write_out(if words.ends_with('\n') { words } else { words + "\n" }.as_str());
        }
    }

    /// As it is, for programs that are no JSON readers.
    pub(crate) fn text(self, text: &str) {
        write_out(text);
    }

    pub(crate) fn paint(self, colour: Colour, text: &str) -> String {
        if self.colours { colour.paint(text) } else { text.to_owned() }
    }

    pub(crate) fn table<const N: usize>(self, heads: [&str; N]) -> Table {
        Table::new(heads, self.colours, self.terminal)
    }
}

/// A reader that has seen enough (`gantry ls | head`) is no failure.
fn write_out(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

fn write_err(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Help, the version, or what is wrong with the command line.
pub(crate) fn usage(told: &clap::Error) -> ExitCode {
    let _ = told.print();
    if told.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() }
}
