//! The sentinel: the only proof that a command came to its end.
//!
//! libssh2 says "0" for a command whose status never came (killed connection, signal, `ChannelTimeout`), so the
//! wrapping script (`script`) writes `__rc=<nonce>=<code>` on stderr when the command has ended. The nonce reaches it
//! on standard input and is in no argument or environment: no output of a command can be mistaken for the sentinel.

use std::fmt::Write;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Nonce(String);

impl Nonce {
    pub(super) fn new() -> Self {
        Self(token())
    }

    /// What the script reads.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    fn marker(&self) -> Vec<u8> {
        format!("__rc={}=", self.0).into_bytes()
    }
}

pub(super) fn token() -> String {
    rand::random::<[u8; 12]>().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Takes the sentinels out of stderr as it streams by, holding back only what may be the beginning of one.
pub(super) struct Scanner {
    markers: Vec<Vec<u8>>,
    codes: Vec<Option<u8>>,
    held: Vec<u8>,
}

impl Scanner {
    pub(super) fn new(nonces: &[Nonce]) -> Self {
        Self { markers: nonces.iter().map(Nonce::marker).collect(), codes: vec![None; nonces.len()], held: Vec::new() }
    }

    pub(super) fn code(&self, index: usize) -> Option<u8> {
        self.codes.get(index).copied().flatten()
    }

    /// Returns what is the command's own.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(bytes);
        let mut own = Vec::new();
        while let Some((at, index)) = self.first_marker() {
            let digits = at + self.markers[index].len();
            let Some(end) = self.held[digits..].iter().position(|&byte| byte == b'\n') else {
                own.extend(self.held.drain(..at));
                return own;
            };
            let text = String::from_utf8_lossy(&self.held[digits..digits + end]);
            self.codes[index] = text.parse().ok();
            own.extend_from_slice(&self.held[..at]);
            self.held.drain(..=digits + end);
        }
        let keep = (0..self.held.len())
            .find(|&at| self.markers.iter().any(|marker| marker.starts_with(&self.held[at..])))
            .map_or(0, |at| self.held.len() - at);
        own.extend(self.held.drain(..self.held.len() - keep));
        own
    }

    pub(super) fn end(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    fn first_marker(&self) -> Option<(usize, usize)> {
        let find = |marker: &[u8]| self.held.windows(marker.len()).position(|window| window == marker);
        let found = self.markers.iter().enumerate().filter_map(|(index, marker)| Some((find(marker)?, index)));
        found.min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn found_however_it_is_split() {
        let nonces = [Nonce::new(), Nonce::new()];
        let text = format!("oh\nno__rc={}=7\n__rc={}=255\ntail __rc=", nonces[1].0, nonces[0].0);
        for size in 1..text.len() {
            let mut scanner = Scanner::new(&nonces);
            let mut own = Vec::new();
            for piece in text.as_bytes().chunks(size) {
                own.extend(scanner.push(piece));
            }
            own.extend(scanner.end());
            assert_eq!((scanner.code(0), scanner.code(1)), (Some(255), Some(7)), "pieces of {size}");
            assert_eq!(String::from_utf8(own).unwrap(), "oh\nnotail __rc=");
        }
    }

    #[test]
    fn another_nonce_is_output_and_a_line_is_not_held_back() {
        let mut scanner = Scanner::new(&[Nonce::new()]);
        let forged = format!("__rc={}=0\n", token());
        assert_eq!(scanner.push(forged.as_bytes()), forged.as_bytes());
        assert_eq!(scanner.push(b"hello\n"), b"hello\n");
        assert_eq!(scanner.code(0), None);
    }

    #[test]
    fn a_cut_sentinel_is_no_code() {
        let nonce = Nonce::new();
        let mut scanner = Scanner::new(std::slice::from_ref(&nonce));
        scanner.push(format!("__rc={}=1", nonce.0).as_bytes());
        assert_eq!(scanner.code(0), None);
    }
}
