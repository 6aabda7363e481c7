//! Reads `KEY=VALUE` as bash would, without ever being bash.
//!
//! What bash would only learn by running something (`$(…)`, backticks, a second word) is an error that names the line;
//! everything else gets the value that bash gives it in an empty environment.

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
    let mut reader = Reader { chars: unix.chars().collect(), at: 0, line: 1, seen: Vec::new() };
    while !reader.ended() {
        if let Err(finding) = reader.statement() {
            findings.push(finding);
            reader.skip_line();
        }
    }
    (reader.seen, findings)
}

struct Reader {
    chars: Vec<char>,
    at: usize,
    line: usize,
    seen: Vec<Assignment>,
}

impl Reader {
    fn ended(&self) -> bool {
        self.at >= self.chars.len()
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        if c == '\n' {
            self.line += 1;
        }
        Some(c)
    }

    fn eat(&mut self, text: &str) -> bool {
        let matches = text.chars().enumerate().all(|(i, c)| self.chars.get(self.at + i) == Some(&c));
        if matches {
            self.at += text.chars().count();
        }
        matches
    }

    fn skip_line(&mut self) {
        while self.next().is_some_and(|c| c != '\n') {}
    }

    fn error(&self, problem: impl Into<String>, fix: &str) -> Finding {
        Finding::error(self.line, problem, fix)
    }

    fn blanks(&mut self) {
        while self.eat(" ") || self.eat("\t") || self.continuation() {}
    }

    fn continuation(&mut self) -> bool {
        let continues = self.eat("\\\n");
        self.line += usize::from(continues);
        continues
    }

    fn name(&mut self) -> String {
        let start = self.at;
        while self
            .peek()
            .is_some_and(|c| c == '_' || c.is_ascii_alphabetic() || (self.at > start && c.is_ascii_digit()))
        {
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect()
    }

    /// One assignment, comment or empty line, with what ends it.
    fn statement(&mut self) -> Result<(), Finding> {
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

    /// A value: pieces without a blank between them. `until` is the brace that ends a default inside `${…}`.
    fn word(&mut self, until: Option<char>) -> Result<String, Finding> {
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

    fn double(&mut self, value: &mut String) -> Result<(), Finding> {
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

    fn command(&self) -> Finding {
        self.error("would run a command", "write the value itself; nothing is executed to read a template")
    }

    fn dollar(&mut self, value: &mut String, quoted: bool) -> Result<(), Finding> {
        self.next();
        match self.peek() {
            Some('(') => Err(self.command()),
            Some('\'' | '"') if !quoted => Err(self.error("$'…' and $\"…\" are not read", "use plain quotes")),
            Some('{') => {
                self.next();
                self.braces(value, quoted)
            }
            Some(c) if c == '_' || c.is_ascii_alphabetic() => {
                let name = self.name();
                value.push_str(&self.known(&name)?);
                Ok(())
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
        let default = if with_default { Some(self.default_part(quoted)?) } else { None };
        if !self.eat("}") {
            return Err(self.error("a ${ is never closed", "add the closing }"));
        }
        let current = self.seen.iter().rev().find(|a| a.key == name).map(|a| a.value.clone());
        match (current, default) {
            (Some(current), Some(_)) if unset_only || !current.is_empty() => value.push_str(&current),
            (_, Some(default)) => value.push_str(&default),
            (_, None) => value.push_str(&self.known(&name)?),
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> String {
        let (seen, findings) = parse(text);
        assert_eq!(findings, [], "{text}");
        seen.last().unwrap().value.clone()
    }

    fn refused(text: &str) -> Finding {
        let (_, findings) = parse(text);
        findings.into_iter().next().unwrap_or_else(|| panic!("{text} was read"))
    }

    #[test]
    fn values_are_those_of_bash() {
        assert_eq!(value("A=plain"), "plain");
        assert_eq!(value("A='sin $gle' # why"), "sin $gle");
        assert_eq!(value(r#"A="dou\"ble \$ \n""#), r#"dou"ble $ \n"#);
        assert_eq!(value(r"A=a\ b'c'"), "a bc");
        assert_eq!(value("A=\"${TEMPLATE_CPU:-4}\""), "4");
        assert_eq!(value("A=1\nB=${A:-2}$A"), "11");
        assert_eq!(value("A=\nB=${A:-2}${A-3}"), "2");
        assert_eq!(value("A=\"${B:-it's ${C:-nested}}\""), "it's nested");
        assert_eq!(value("export A=x; B=y"), "y");
        assert_eq!(value("A=\"two\nlines\""), "two\nlines");
    }

    #[test]
    fn what_only_a_shell_could_know_is_refused_with_its_line() {
        assert_eq!(refused("A=1\nB=$(id)").line, 2);
        assert_eq!(refused("A=`id`").line, 1);
        assert!(refused("TAGS=web;node").fix.contains("quote"));
        assert!(refused("A=two words").fix.contains("quote"));
        assert!(refused("A=$HOME").fix.contains(":-"));
        assert!(refused("echo hi").problem.contains("KEY=VALUE"));
        assert!(refused("A=\"open").problem.contains("never closed"));
    }

    #[test]
    fn a_bad_line_hides_no_other() {
        let (seen, findings) = parse("A=1\nB=$(id)\nC=3\n");
        assert_eq!(seen.iter().map(|a| a.key.as_str()).collect::<Vec<_>>(), ["A", "C"]);
        assert_eq!(findings.len(), 1);
    }

    #[test]
    fn windows_files_are_read_and_told() {
        let (seen, findings) = parse("\u{feff}A=1\r\nB=2\r\n");
        assert_eq!((seen[0].value.as_str(), seen[1].value.as_str()), ("1", "2"));
        assert_eq!(findings.len(), 2);
    }
}
