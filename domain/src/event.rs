//! Events as the log keeps them, and how old ones stay readable.

use chrono::{DateTime, Utc};
use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, value::MapDeserializer},
};
use serde_json::{Value, json};

use crate::{Meta, Position, StreamId, Version};

/// What an aggregate's event enum implements, with `#[serde(tag = "kind", content = "data")]` on it and every variant
/// renamed to its full kind: `#[serde(rename = "operation.accepted")]`. Variants carry named fields or nothing.
pub trait Event: Serialize + DeserializeOwned + Clone + std::fmt::Debug {
    /// Steps from older shapes to today's, in any order. A kind's current version is 1 + the number of its upcasters.
    const UPCASTERS: &'static [Upcaster] = &[];

    /// # Errors
    /// When the event can't be written as JSON: a map with keys that are no strings.
    fn encode(&self) -> Result<NewEvent, serde_json::Error> {
        let mut whole = serde_json::to_value(self)?;
        let kind = whole.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
        let data = whole.get_mut("data").map_or_else(|| json!({}), Value::take);
        let kind_version = current_version(Self::UPCASTERS, &kind);
        Ok(NewEvent { kind, kind_version, data })
    }

    /// # Errors
    /// When the kind is unknown, newer than this program, or its data does not have the kind's shape.
    fn decode(kind: &str, version: u16, data: &Value) -> Result<Self, DecodeError> {
        let current = current_version(Self::UPCASTERS, kind);
        if version > current {
            return Err(DecodeError::Newer { kind: kind.to_owned(), version, current });
        }
        let mut raised = None;
        for from in version..current {
            if let Some(step) = Self::UPCASTERS.iter().find(|u| u.kind == kind && u.from == from) {
                raised = Some((step.upcast)(raised.unwrap_or_else(|| data.clone())));
            }
        }
        let (data, tag) = (raised.as_ref().unwrap_or(data), Value::from(kind));
        let empty = data.as_object().is_some_and(serde_json::Map::is_empty);
        // The kind comes first: then serde reads the data straight into its variant, with no copy in between.
        let parts = [("kind", &tag), ("data", data)];
        Self::deserialize(MapDeserializer::new(parts.into_iter()))
            // A variant without fields is stored as `{}` too, and serde wants no data for it.
            .or_else(|first| match empty {
                true => Self::deserialize(MapDeserializer::new([("kind", &tag)].into_iter())),
                false => Err(first),
            })
            .map_err(|source| DecodeError::Shape { kind: kind.to_owned(), version, source })
    }
}

/// Turns the data of `kind` version `from` into that of version `from + 1`.
#[derive(Debug, Clone, Copy)]
pub struct Upcaster {
    pub kind: &'static str,
    pub from: u16,
    pub upcast: fn(Value) -> Value,
}

fn current_version(upcasters: &[Upcaster], kind: &str) -> u16 {
    let steps = upcasters.iter().filter(|u| u.kind == kind).count();
    u16::try_from(steps + 1).unwrap_or(u16::MAX)
}

#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("event {kind} has version {version}, this program knows up to {current}: run a newer gantry")]
    Newer { kind: String, version: u16, current: u16 },
    #[error("event {kind} version {version} does not have that kind's shape: {source}")]
    Shape { kind: String, version: u16, source: serde_json::Error },
}

/// An event that is not in the log yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewEvent {
    pub kind: String,
    pub kind_version: u16,
    pub data: Value,
}

/// An event in the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    pub position: Position,
    pub stream: StreamId,
    pub version: Version,
    pub kind: String,
    pub kind_version: u16,
    pub data: Value,
    pub meta: Meta,
    pub recorded_at: DateTime<Utc>,
    /// SHA-256 over the hash before and all of the above, in hex.
    pub hash: String,
}

impl Recorded {
    /// # Errors
    /// See [`Event::decode`].
    pub fn event<E: Event>(&self) -> Result<E, DecodeError> {
        E::decode(&self.kind, self.kind_version, &self.data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "kind", content = "data")]
    enum Door {
        #[serde(rename = "door.opened")]
        Opened { by: String, wide: bool },
        #[serde(rename = "door.shut")]
        Shut,
        #[serde(rename = "door.painted")]
        Painted { colour: Option<String> },
    }

    impl Event for Door {
        const UPCASTERS: &'static [Upcaster] = &[Upcaster {
            kind: "door.opened",
            from: 1,
            upcast: |mut data| {
                data["wide"] = json!(true);
                data
            },
        }];
    }

    #[test]
    fn what_is_encoded_decodes_to_the_same() {
        for event in [Door::Opened { by: "ann".into(), wide: false }, Door::Shut, Door::Painted { colour: None }] {
            let stored = event.encode().unwrap();
            assert_eq!(Door::decode(&stored.kind, stored.kind_version, &stored.data).unwrap(), event);
        }
    }

    #[test]
    fn an_old_version_is_upcast() {
        let old = Door::decode("door.opened", 1, &json!({ "by": "ann" })).unwrap();
        assert_eq!(old, Door::Opened { by: "ann".into(), wide: true });
    }

    #[test]
    fn a_newer_version_and_an_unknown_kind_are_refused_by_name() {
        let newer = Door::decode("door.opened", 3, &json!({})).unwrap_err().to_string();
        assert!(newer.contains("door.opened") && newer.contains("newer gantry"), "{newer}");
        let unknown = Door::decode("door.sold", 1, &json!({})).unwrap_err().to_string();
        assert!(unknown.contains("door.sold"), "{unknown}");
    }
}
