//! A value and its quotes.

use super::super::Finding;
use super::Reader;

impl Reader {
    /// A value: pieces without a blank between them. `until` is the brace that ends a default inside `${…}`.
    pub(super) fn word(&mut self, until: Option<char>) -> Result<String, Finding> {
        let mut value = String::new();
        let mut first = true;
        while let Some(c) = self.peek() {
            if until == Some(c) {
                break;
            }
            match c {
                '\n' | ' ' | '\t' | ';' if until.is_none() => break,
                '\'' => {
                    self.next();
                    self.single(&mut value)?;
                }
                '"' => {
                    self.next();
                    self.double(&mut value)?;
                }
                '\\' if self.continuation() => continue,
                '\\' => {
                    self.next();
                    match self.next() {
                        Some(c) => value.push(c),
                        None => return Err(self.error("ends with a \\", "remove it, or quote the value")),
                    }
                }
                '$' => self.dollar(&mut value, false)?,
                '`' => return Err(self.command()),
                '&' | '|' | '<' | '>' | '(' | ')' if until.is_none() => {
                    return Err(self.error(format!("{c} means something to a shell"), "quote the value"));
                }
                '~' if first || value.ends_with(':') => {
                    return Err(self.error("~ would become a home directory", "write the path, or quote the value"));
                }
                _ => value.extend(self.next()),
            }
            first = false;
        }
        Ok(value)
    }

    fn single(&mut self, value: &mut String) -> Result<(), Finding> {
        let opened = self.line;
        loop {
            match self.next() {
                Some('\'') => return Ok(()),
                Some(c) => value.push(c),
                None => return Err(Finding::error(opened, "a ' is never closed", "add the closing '")),
            }
        }
    }

    pub(super) fn double(&mut self, value: &mut String) -> Result<(), Finding> {
        let opened = self.line;
        loop {
            match self.peek() {
                Some('"') => {
                    self.next();
                    return Ok(());
                }
                Some('\\') if self.continuation() => {}
                Some('\\') => {
                    self.next();
                    match self.next() {
                        Some(c @ ('$' | '`' | '"' | '\\')) => value.push(c),
                        Some(c) => value.extend(['\\', c]),
                        None => value.push('\\'),
                    }
                }
                Some('$') => self.dollar(value, true)?,
                Some('`') => return Err(self.command()),
                Some(_) => value.extend(self.next()),
                None => return Err(Finding::error(opened, "a \" is never closed", "add the closing \"")),
            }
        }
    }
}
