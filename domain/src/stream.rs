//! Where an event stands: its stream and version, and its position in the whole log.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The name of a stream, `<category>-<id>`: `operation-0199…`, `container-0199…`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StreamId(String);

impl StreamId {
    #[must_use]
    pub fn new(category: &str, id: impl fmt::Display) -> Self {
        Self(format!("{category}-{id}"))
    }

    /// A name as it stands in the log.
    #[must_use]
    pub fn from_stored(name: String) -> Self {
        Self(name)
    }

    /// What comes before the first `-`; the aggregate's [`CATEGORY`](crate::Aggregate::CATEGORY).
    #[must_use]
    pub fn category(&self) -> &str {
        self.0.split_once('-').map_or(self.0.as_str(), |(category, _)| category)
    }

    /// What comes after the first `-`.
    #[must_use]
    pub fn id(&self) -> &str {
        self.0.split_once('-').map_or("", |(_, id)| id)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How many events a stream holds; the first event has version 1, a stream that does not exist has version 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub i64);

/// An event's place in the log: gapless from 1, in the order of the commits. 0 is "before the first".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(pub i64);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_category_ends_at_the_first_dash() {
        let stream = StreamId::new("operation", "0199-ab-cd");
        assert_eq!((stream.category(), stream.id()), ("operation", "0199-ab-cd"));
    }
}
