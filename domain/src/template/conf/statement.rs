//! One line of the file, or several on one.

use super::super::Finding;
use super::{Assignment, Reader};

impl Reader {
    /// One assignment, comment or empty line, with what ends it.
    pub(super) fn statement(&mut self) -> Result<(), Finding> {
        self.blanks();
        match self.peek() {
            None => return Ok(()),
            Some('\n') => {
                self.next();
                return Ok(());
            }
            Some(';') => return Err(self.error("a ; with nothing before it", "remove it")),
            Some('#') => {
                self.skip_line();
                return Ok(());
            }
            Some(_) => {}
        }
        let line = self.line;
        let mut key = self.name();
        if key == "export" && matches!(self.peek(), Some(' ' | '\t')) {
            self.blanks();
            key = self.name();
        }
        if key.is_empty() || !self.eat("=") {
            return Err(self.error("is not KEY=VALUE", "write only assignments here; nothing in this file is executed"));
        }
        let value = self.word(None)?;
        self.end_of_statement(&key)?;
        self.seen.push(Assignment { key, value, line });
        Ok(())
    }

    fn end_of_statement(&mut self, key: &str) -> Result<(), Finding> {
        let blank = matches!(self.peek(), Some(' ' | '\t'));
        self.blanks();
        match self.peek() {
            None => Ok(()),
            Some('#') if blank => Ok(()),
            Some('\n') => Ok(()),
            Some(';') => {
                self.next();
                self.blanks();
                let start = (self.at, self.line);
                let follows = self.name();
                let assigns = matches!(self.peek(), None | Some('\n' | '#' | '='))
                    && (follows.is_empty() || self.peek() == Some('='));
                (self.at, self.line) = start;
                if assigns { Ok(()) } else { Err(self.unquoted(key)) }
            }
            Some(_) => Err(self.unquoted(key)),
        }
    }

    fn unquoted(&self, key: &str) -> Finding {
        self.error(format!("{key}: there is more after the value"), &format!("quote the whole value: {key}=\"…\""))
    }
}
