//! Where the reader is in the text.

use super::super::Finding;
use super::Reader;

impl Reader {
    pub(super) fn ended(&self) -> bool {
        self.at >= self.chars.len()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        if c == '\n' {
            self.line += 1;
        }
        Some(c)
    }

    pub(super) fn eat(&mut self, text: &str) -> bool {
        let matches = text.chars().enumerate().all(|(i, c)| self.chars.get(self.at + i) == Some(&c));
        if matches {
            self.at += text.chars().count();
        }
        matches
    }

    pub(super) fn skip_line(&mut self) {
        while self.next().is_some_and(|c| c != '\n') {}
    }

    pub(super) fn error(&self, problem: impl Into<String>, fix: &str) -> Finding {
        Finding::error(self.line, problem, fix)
    }

    pub(super) fn blanks(&mut self) {
        while self.eat(" ") || self.eat("\t") || self.continuation() {}
    }

    pub(super) fn continuation(&mut self) -> bool {
        let continues = self.eat("\\\n");
        self.line += usize::from(continues);
        continues
    }

    /// A name, which a line may be continued in the middle of.
    pub(super) fn name(&mut self) -> String {
        let mut name = String::new();
        loop {
            match self.peek() {
                Some('\\') if self.continuation() => {}
                Some(c) if c == '_' || c.is_ascii_alphabetic() || (!name.is_empty() && c.is_ascii_digit()) => {
                    name.push(c);
                    self.at += 1;
                }
                _ => return name,
            }
        }
    }
}
