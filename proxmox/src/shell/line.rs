//! Output by the line.

/// A longer line is delivered in pieces, so that output without line ends cannot fill memory.
pub(super) const LONGEST: usize = 16 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Out,
    Err,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub stream: Stream,
    /// Without its line end. Bytes that are not UTF-8 are shown as �: a log is for people.
    pub text: String,
}

pub(super) struct Splitter {
    stream: Stream,
    rest: Vec<u8>,
}

impl Splitter {
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream, rest: Vec::new() }
    }

    pub(super) fn push(&mut self, bytes: &[u8], mut on_line: impl FnMut(Line)) {
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.rest.extend_from_slice(part);
            if self.rest.last() == Some(&b'\n') {
                self.rest.pop();
                self.cut(&mut on_line);
                self.deliver(self.rest.len(), &mut on_line);
            } else {
                self.cut(&mut on_line);
            }
        }
    }

    pub(super) fn end(&mut self, mut on_line: impl FnMut(Line)) {
        if !self.rest.is_empty() {
            self.deliver(self.rest.len(), &mut on_line);
        }
    }

    fn cut(&mut self, on_line: &mut impl FnMut(Line)) {
        while self.rest.len() > LONGEST {
            let inside_a_letter = |byte: u8| byte & 0b1100_0000 == 0b1000_0000;
            let at = (LONGEST - 3..=LONGEST).rev().find(|&at| !inside_a_letter(self.rest[at])).unwrap_or(LONGEST);
            self.deliver(at, on_line);
        }
    }

    fn deliver(&mut self, length: usize, on_line: &mut impl FnMut(Line)) {
        let text = String::from_utf8_lossy(&self.rest[..length]).into_owned();
        self.rest.drain(..length);
        on_line(Line { stream: self.stream, text });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(pieces: &[&[u8]]) -> Vec<String> {
        let mut splitter = Splitter::new(Stream::Out);
        let mut lines = Vec::new();
        for piece in pieces {
            splitter.push(piece, |line| lines.push(line.text));
        }
        splitter.end(|line| lines.push(line.text));
        lines
    }

    #[test]
    fn lines_come_whole_however_they_arrive() {
        assert_eq!(split(&[b"on", b"e\n\ntw", b"o\nthree"]), ["one", "", "two", "three"]);
        assert_eq!(split(&[b"h\xc3", b"\xa4h\n\xff\n"]), ["h\u{e4}h", "\u{fffd}"]);
    }

    #[test]
    fn a_long_line_comes_in_pieces_between_letters() {
        let long = "\u{e4}".repeat(LONGEST);
        let lines = split(&[format!("x{long}\n").as_bytes()]);
        assert!(lines.iter().all(|line| line.len() <= LONGEST && !line.contains('\u{fffd}')));
        assert_eq!(lines.concat(), format!("x{long}"));
    }
}
