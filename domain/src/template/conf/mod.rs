//! Reads `KEY=VALUE` as bash would, without ever being bash.
//!
//! What bash would only learn by running something (`$(…)`, backticks, a second word) is an error that names the line;
//! everything else gets the value that bash gives it in an empty environment.

mod cursor;
mod dollar;
mod statement;
mod word;

use super::Finding;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    pub key: String,
    pub value: String,
    pub line: usize,
}

/// All assignments that could be read, and what could not.
#[must_use]
pub fn parse(text: &str) -> (Vec<Assignment>, Vec<Finding>) {
    let mut findings = Vec::new();
    let mut text = text;
    if let Some(rest) = text.strip_prefix('\u{feff}') {
        findings.push(Finding::warning(1, "starts with a byte order mark", "save the file as UTF-8 without BOM"));
        text = rest;
    }
    let unix = text.replace("\r\n", "\n");
    if unix.len() != text.len() {
        findings.push(Finding::warning(1, "has Windows line ends (CRLF)", "convert it: sed -i 's/\\r$//' FILE"));
    }
    let mut reader = Reader { chars: unix.chars().collect(), at: 0, line: 1, depth: 0, seen: Vec::new() };
    while !reader.ended() {
        if findings.len() >= MOST_FINDINGS || reader.seen.len() >= MOST_ASSIGNMENTS {
            findings.push(reader.error("is read no further: there is too much in it", "mend or shorten what is above"));
            break;
        }
        if let Err(finding) = reader.statement() {
            findings.push(finding);
            reader.depth = 0;
            reader.skip_line();
        }
    }
    (reader.seen, findings)
}

/// Nobody who writes a template meets these; what was made to exhaust the reader does.
const MOST_FINDINGS: usize = 100;
const MOST_ASSIGNMENTS: usize = 1000;
const LONGEST_VALUE: usize = 64 << 10;
const DEEPEST: usize = 20;

struct Reader {
    chars: Vec<char>,
    at: usize,
    line: usize,
    /// How many `${…}` are open.
    depth: usize,
    seen: Vec<Assignment>,
}

#[cfg(test)]
mod tests;
