//! Reading what Proxmox really answers: numbers as strings, booleans as 0, 1, "1" or nothing, null for an empty list.

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error};
use serde_json::Value;

/// A whole number from 5, "5" or 5.0; null, "" and a missing field are the default.
pub(crate) fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Ok(maybe_whole(deserializer)?.unwrap_or_default())
}

pub(crate) fn maybe_whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let number = maybe_real(deserializer)?;
    // Byte counts stay exact up to 2^53, 8 PiB.
    number.map(|n| if n < 0.0 { Err(Error::custom("a negative count")) } else { Ok(n as u64) }).transpose()
}

pub(crate) fn real<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(maybe_real(deserializer)?.unwrap_or_default())
}

pub(crate) fn maybe_real<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::Bool(flag) => Ok(Some(if flag { 1.0 } else { 0.0 })),
        Value::Number(number) => Ok(number.as_f64()),
        Value::String(text) if text.trim().is_empty() => Ok(None),
        Value::String(text) => {
            text.trim().parse().map(Some).map_err(|_| Error::custom(format!("`{text}` is no number")))
        }
        other => Err(Error::custom(format!("{other} is no number"))),
    }
}

pub(crate) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(false),
        Value::Bool(flag) => Ok(flag),
        Value::Number(number) => Ok(number.as_f64() != Some(0.0)),
        Value::String(text) => Ok(!matches!(text.as_str(), "" | "0" | "no" | "off" | "false")),
        other => Err(Error::custom(format!("{other} is no boolean"))),
    }
}

/// Text, or a number that should have been text.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(maybe_text(deserializer)?.unwrap_or_default())
}

pub(crate) fn maybe_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        scalar @ (Value::Number(_) | Value::Bool(_)) => Ok(Some(scalar.to_string())),
        other => Err(Error::custom(format!("{other} is no text"))),
    }
}

/// A list of things; null is the empty one.
pub(crate) fn list<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Vec<T>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(Vec::new()),
        other => serde_json::from_value(other).map_err(Error::custom),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Deserialize, Debug, PartialEq)]
    struct Row {
        #[serde(default, deserialize_with = "super::whole")]
        mem: u64,
        #[serde(default, deserialize_with = "super::maybe_real")]
        cpu: Option<f64>,
        #[serde(default, deserialize_with = "super::flag")]
        template: bool,
        #[serde(default, deserialize_with = "super::text")]
        value: String,
        #[serde(default, deserialize_with = "super::list")]
        rows: Vec<u8>,
    }

    fn read(value: serde_json::Value) -> Row {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn every_spelling_means_the_same() {
        let plain = read(json!({"mem": 64, "cpu": 0.5, "template": 1, "value": "7", "rows": [1]}));
        assert_eq!(plain, read(json!({"mem": "64", "cpu": "0.5", "template": "1", "value": 7, "rows": [1]})));
        assert_eq!(plain, Row { mem: 64, cpu: Some(0.5), template: true, value: "7".into(), rows: vec![1] });
    }

    #[test]
    fn null_and_missing_are_the_same() {
        let nulls = json!({"mem": null, "cpu": null, "template": null, "value": null, "rows": null});
        assert_eq!(read(nulls), read(json!({})));
        assert_eq!(read(json!({})).cpu, None);
    }

    #[test]
    fn nonsense_is_an_error() {
        assert!(serde_json::from_value::<Row>(json!({"mem": "many"})).is_err());
        assert!(serde_json::from_value::<Row>(json!({"mem": -1})).is_err());
        assert!(serde_json::from_value::<Row>(json!({"value": {}})).is_err());
    }
}
