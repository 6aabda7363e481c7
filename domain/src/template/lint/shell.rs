//! A script as words and operators, as far as a shell would tell them apart: quotes, comments, here-documents and
//! arithmetic are known, and what is substituted is read as the commands that it is. Nothing is ever expanded.

/// Deeper is nobody's script.
const DEEPEST: usize = 30;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Word(Word),
    /// Between commands: `|`, `&&`, `;`, a line's end, …
    Operator(&'static str),
    /// `<`, `<<`, `>` and their like, with what they lead from or to.
    Redirect {
        input: bool,
    },
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Word {
    /// Without its quotes.
    pub text: String,
    pub line: usize,
    /// The commands of each `$(…)`, backtick, `<(…)` in it.
    pub inside: Vec<Vec<Piece>>,
}

pub(super) fn pieces(script: &str) -> Vec<Piece> {
    let mut lexer = Lexer { chars: script.chars().collect(), at: 0, line: 1, closers: Vec::new(), here: Vec::new() };
    let mut all = Vec::new();
    // A closing bracket too many ends nothing.
    while lexer.peek(0).is_some() {
        all.extend(lexer.pieces());
    }
    all
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    line: usize,
    /// What ends each substitution that is open.
    closers: Vec<char>,
    /// Here-documents that begin at the next line: what ends each, and whether tabs before it don't count.
    here: Vec<(String, bool)>,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek(0)?;
        self.at += 1;
        self.line += usize::from(c == '\n');
        Some(c)
    }

    fn sees(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(at, c)| self.peek(at) == Some(c))
    }

    fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.next();
        }
    }

    /// Up to what closes the innermost substitution, or the end.
    fn pieces(&mut self) -> Vec<Piece> {
        let mut found = Vec::new();
        let mut groups = 0_usize;
        while let Some(c) = self.peek(0) {
            if self.closers.last() == Some(&c) && groups == 0 {
                self.next();
                return found;
            }
            match c {
                ' ' | '\t' | '\r' => self.skip(1),
                '\\' if self.peek(1) == Some('\n') => self.skip(2),
                '#' => {
                    while self.peek(0).is_some_and(|c| c != '\n') {
                        self.next();
                    }
                }
                '\n' => {
                    self.next();
                    self.here_documents();
                    found.push(Piece::Operator("\n"));
                }
                '(' if self.sees("((") => self.arithmetic(2),
                '(' => {
                    groups += 1;
                    self.operator("(", &mut found);
                }
                ')' => {
                    groups = groups.saturating_sub(1);
                    self.operator(")", &mut found);
                }
                '<' | '>' if self.peek(1) == Some('(') => self.word(&mut found),
                '<' | '>' => self.redirect(&mut found),
                '&' if self.peek(1) == Some('>') => {
                    self.next();
                    self.redirect(&mut found);
                }
                ';' | '&' | '|' => {
                    let operators = ["&&", "||", "|&", ";;", "|", "&", ";"];
                    let operator = operators.into_iter().find(|operator| self.sees(operator)).unwrap_or(";");
                    // `|&` hands on more than `|`, and to the same command.
                    self.skip(operator.len());
                    found.push(Piece::Operator(if operator == "|&" { "|" } else { operator }));
                }
                _ => self.word(&mut found),
            }
        }
        found
    }

    fn operator(&mut self, operator: &'static str, found: &mut Vec<Piece>) {
        self.next();
        found.push(Piece::Operator(operator));
    }

    fn redirect(&mut self, found: &mut Vec<Piece>) {
        let input = self.peek(0) == Some('<');
        if self.sees("<<<") {
            self.skip(3);
        } else if self.sees("<<") {
            self.skip(2);
            let tabs = self.peek(0) == Some('-');
            self.skip(usize::from(tabs));
            self.target(|lexer, end| lexer.here.push((end, tabs)));
            return found.push(Piece::Redirect { input });
        } else {
            self.skip(1);
            while self.peek(0).is_some_and(|c| matches!(c, '>' | '&' | '|')) {
                self.next();
            }
        }
        self.target(|_, _| {});
        found.push(Piece::Redirect { input });
    }

    /// The word behind a redirection, which is no word of the command.
    fn target(&mut self, then: impl FnOnce(&mut Self, String)) {
        while self.peek(0).is_some_and(|c| c == ' ' || c == '\t') {
            self.next();
        }
        if self.peek(0).is_some_and(|c| !"\n;&|()<>".contains(c)) {
            let mut aside = Vec::new();
            self.word(&mut aside);
            if let Some(Piece::Word(word)) = aside.pop() {
                then(self, word.text);
            }
        }
    }

    fn here_documents(&mut self) {
        for (end, tabs) in std::mem::take(&mut self.here) {
            loop {
                let mut text = String::new();
                while let Some(c) = self.next().filter(|c| *c != '\n') {
                    text.push(c);
                }
                let text = text.trim_end_matches('\r');
                let text = if tabs { text.trim_start_matches('\t') } else { text };
                if text == end || self.peek(0).is_none() {
                    break;
                }
            }
        }
    }

    /// `((…))`, which is no command and where `<<` is a shift; `open` brackets are open.
    fn arithmetic(&mut self, open: usize) {
        self.skip(open);
        let mut open = open;
        while open > 0 {
            match self.next() {
                Some('(') => open += 1,
                Some(')') => open -= 1,
                Some(_) => {}
                None => return,
            }
        }
    }

    fn word(&mut self, found: &mut Vec<Piece>) {
        let mut word = Word { line: self.line, ..Word::default() };
        let start = self.at;
        while let Some(c) = self.peek(0) {
            let process = matches!(c, '<' | '>') && self.peek(1) == Some('(');
            if matches!(c, ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | '(' | ')')
                || (matches!(c, '<' | '>') && !process)
            {
                break;
            }
            if c == '`' && self.closers.last() == Some(&'`') {
                break;
            }
            match c {
                '\'' => {
                    self.next();
                    while let Some(c) = self.next().filter(|c| *c != '\'') {
                        word.text.push(c);
                    }
                }
                '"' => {
                    self.next();
                    self.double(&mut word);
                }
                '\\' => {
                    self.next();
                    word.text.extend(self.next().filter(|c| *c != '\n'));
                }
                '<' | '>' => {
                    self.skip(2);
                    self.substitution(&mut word, ')');
                }
                '$' | '`' => self.dollar(&mut word),
                _ => word.text.extend(self.next()),
            }
        }
        if self.at == start {
            // Whatever it is, the end has to come nearer.
            self.next();
        }
        let descriptor = !word.text.is_empty() && word.text.bytes().all(|b| b.is_ascii_digit());
        if !(descriptor && matches!(self.peek(0), Some('<' | '>'))) {
            found.push(Piece::Word(word));
        }
    }

    fn double(&mut self, word: &mut Word) {
        while let Some(c) = self.peek(0) {
            match c {
                '"' => return self.skip(1),
                '\\' => {
                    self.next();
                    word.text.extend(self.next());
                }
                '$' | '`' => self.dollar(word),
                _ => word.text.extend(self.next()),
            }
        }
    }

    fn dollar(&mut self, word: &mut Word) {
        if self.sees("$((") {
            self.next();
            self.arithmetic(2);
            word.text.push('0');
        } else if self.sees("$(") {
            self.skip(2);
            self.substitution(word, ')');
        } else if self.peek(0) == Some('`') && self.closers.last() != Some(&'`') {
            self.skip(1);
            self.substitution(word, '`');
        } else {
            word.text.extend(self.next());
        }
    }

    fn substitution(&mut self, word: &mut Word, closer: char) {
        if self.closers.len() < DEEPEST {
            self.closers.push(closer);
            let inside = self.pieces();
            self.closers.pop();
            word.inside.push(inside);
        }
    }
}
