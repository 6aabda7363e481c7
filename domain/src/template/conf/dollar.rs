//! What stands behind a `$`: names of this file, and defaults.

use super::super::Finding;
use super::{DEEPEST, LONGEST_VALUE, Reader};

impl Reader {
    pub(super) fn command(&self) -> Finding {
        self.error("would run a command", "write the value itself; nothing is executed to read a template")
    }

    pub(super) fn dollar(&mut self, value: &mut String, quoted: bool) -> Result<(), Finding> {
        self.next();
        while self.continuation() {}
        match self.peek() {
            Some('(') => Err(self.command()),
            Some('\'' | '"') if !quoted => Err(self.error("$'…' and $\"…\" are not read", "use plain quotes")),
            Some('{') => {
                self.next();
                self.braces(value, quoted)
            }
            Some(c) if c == '_' || c.is_ascii_alphabetic() => {
                let name = self.name();
                let known = self.known(&name)?;
                self.add(value, &known)
            }
            Some(c) if c.is_ascii_digit() || "@*#?$!-\\[".contains(c) => {
                Err(self.error(format!("${c} has no meaning here"), "write the value itself, or escape the $ as \\$"))
            }
            _ => {
                value.push('$');
                Ok(())
            }
        }
    }

    /// `${NAME}`, `${NAME:-default}`, `${NAME-default}`, behind the brace.
    fn braces(&mut self, value: &mut String, quoted: bool) -> Result<(), Finding> {
        let name = self.name();
        let unset_only = !self.eat(":-");
        let with_default = !unset_only || self.eat("-");
        if name.is_empty() || !(with_default || self.peek() == Some('}')) {
            return Err(self.error("this form of ${…} is not read", "use ${NAME} or ${NAME:-default}"));
        }
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.error("has too many ${…} inside each other", "write the value itself"));
        }
        let default = if with_default { Some(self.default_part(quoted)?) } else { None };
        if !self.eat("}") {
            return Err(self.error("a ${ is never closed", "add the closing }"));
        }
        self.depth -= 1;
        let current = self.seen.iter().rev().find(|a| a.key == name).map(|a| a.value.clone());
        match (current, default) {
            (Some(current), Some(_)) if unset_only || !current.is_empty() => self.add(value, &current),
            (_, Some(default)) => self.add(value, &default),
            (_, None) => self.add(value, &self.known(&name)?),
        }
    }

    /// A few lines that double each other's value would fill the memory.
    fn add(&self, value: &mut String, more: &str) -> Result<(), Finding> {
        if value.len() + more.len() > LONGEST_VALUE {
            return Err(self.error("is longer than 64 KiB", "put it into a file of container-configs/files"));
        }
        value.push_str(more);
        Ok(())
    }

    fn default_part(&mut self, quoted: bool) -> Result<String, Finding> {
        if !quoted {
            return self.word(Some('}'));
        }
        // Inside double quotes a ' is a plain character, and a " opens and closes quoting of its own.
        let mut value = String::new();
        loop {
            match self.peek() {
                Some('}') | None => return Ok(value),
                Some('"') => {
                    self.next();
                    self.double(&mut value)?;
                }
                Some('\\') if self.continuation() => {}
                Some('\\') => {
                    self.next();
                    match self.next() {
                        Some(c @ ('$' | '`' | '"' | '\\' | '}')) => value.push(c),
                        Some(c) => value.extend(['\\', c]),
                        None => value.push('\\'),
                    }
                }
                Some('$') => self.dollar(&mut value, true)?,
                Some('`') => return Err(self.command()),
                Some(_) => value.extend(self.next()),
            }
        }
    }

    fn known(&self, name: &str) -> Result<String, Finding> {
        self.seen.iter().rev().find(|a| a.key == name).map(|a| a.value.clone()).ok_or_else(|| {
            self.error(format!("${name} is not set in this file"), &format!("give it a default: ${{{name}:-…}}"))
        })
    }
}
