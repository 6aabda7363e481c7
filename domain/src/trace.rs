//! Which request of which caller something belongs to, as W3C's Trace Context writes it: `00-<trace>-<span>-<flags>`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TraceParent(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no traceparent")]
pub struct NoTrace;

impl TraceParent {
    /// A trace of our own, from random bytes in hex.
    ///
    /// # Errors
    /// When they are not 16 and 8 bytes.
    pub fn begin(trace: &str, span: &str) -> Result<Self, NoTrace> {
        format!("00-{trace}-{span}-01").parse()
    }

    /// The same trace, seen from another span of it, in hex.
    ///
    /// # Errors
    /// When it is not 8 bytes.
    pub fn within(&self, span: &str) -> Result<Self, NoTrace> {
        let (start, flags) = (self.0.get(..36).unwrap_or_default(), self.0.get(52..).unwrap_or_default());
        format!("{start}{span}{flags}").parse()
    }

    /// What all that belongs together has in common.
    #[must_use]
    pub fn trace(&self) -> &str {
        self.0.get(3..35).unwrap_or_default()
    }

    /// Whose doing it is.
    #[must_use]
    pub fn span(&self) -> &str {
        self.0.get(36..52).unwrap_or_default()
    }

    /// Whether its caller wants it kept.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.0.get(53..55).and_then(|flags| u8::from_str_radix(flags, 16).ok()).is_some_and(|flags| flags & 1 == 1)
    }
}

impl FromStr for TraceParent {
    type Err = NoTrace;

    fn from_str(text: &str) -> Result<Self, NoTrace> {
        let mut parts = text.split('-');
        let mut part = |length: usize| {
            let hex = |part: &&str| {
                part.len() == length && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
            };
            parts.next().filter(hex).ok_or(NoTrace)
        };
        let (version, trace, span, _) = (part(2)?, part(32)?, part(16)?, part(2)?);
        let zero = |text: &str| text.bytes().all(|b| b == b'0');
        // Later versions may add parts; this one has none.
        let whole = version != "ff" && (version != "00" || text.len() == 55);
        if !whole || zero(trace) || zero(span) {
            return Err(NoTrace);
        }
        Ok(Self(text.get(..55).unwrap_or(text).to_owned()))
    }
}

impl TryFrom<String> for TraceParent {
    type Error = NoTrace;

    fn try_from(text: String) -> Result<Self, NoTrace> {
        text.parse()
    }
}

impl From<TraceParent> for String {
    fn from(trace: TraceParent) -> Self {
        trace.0
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_none_is_not_taken_for_one() {
        let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
        let given: TraceParent = format!("00-{trace}-{span}-01").parse().unwrap();
        assert_eq!((given.trace(), given.to_string().len()), (trace, 55));
        let later: TraceParent = format!("cc-{trace}-{span}-01-what-comes").parse().unwrap();
        assert_eq!(later.trace(), trace);
        let own = TraceParent::begin(trace, span).unwrap();
        assert_eq!((own.trace(), own.span(), own.is_sampled()), (trace, span, true));
        let unsampled: TraceParent = format!("00-{trace}-{span}-02").parse().unwrap();
        let within = unsampled.within("00000000000000ff").unwrap();
        assert_eq!(within.to_string(), format!("00-{trace}-00000000000000ff-02"));
        assert!(!within.is_sampled() && unsampled.within("ff").is_err());
        for wrong in [
            String::new(),
            format!("ff-{trace}-{span}-01"),
            format!("00-{trace}-{span}-01-more"),
            format!("00-{}-{span}-01", "0".repeat(32)),
            format!("00-{trace}-{}-01", "0".repeat(16)),
            format!("00-{}-{span}-01", trace.to_uppercase()),
            format!("00-{trace}-{span}"),
            format!("00-{trace}-{span}-1"),
        ] {
            assert_eq!(wrong.parse::<TraceParent>(), Err(NoTrace), "{wrong}");
        }
    }
}
