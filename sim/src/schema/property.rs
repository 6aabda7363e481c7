//! Property strings: `name=eth0,bridge=vmbr0`, a configuration value with parts.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Param, check};

/// Reads a property string by its format. The parts keep the order in which they were given.
///
/// # Errors
/// In Proxmox's words, one line for each part that does not fit.
pub(crate) fn parse(parts: &BTreeMap<String, Param>, text: &str, path: &str) -> Result<Vec<(String, String)>, String> {
    let mut read: Vec<(String, String)> = Vec::new();
    for piece in text.split(',').filter(|piece| !piece.is_empty()) {
        let (key, value) = match piece.split_once('=').filter(|(key, _)| {
            parts.contains_key(*key)
                || !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        }) {
            Some((key, value)) => (key.to_owned(), value.to_owned()),
            None => match parts.iter().find(|(_, part)| part.default_key == 1) {
                Some((key, _)) => (key.clone(), piece.to_owned()),
                None => return Err("value without key, but schema does not define a default key\n".to_owned()),
            },
        };
        let (key, model) = match parts.get(&key) {
            Some(part) => (
                part.alias.clone().unwrap_or_else(|| key.clone()),
                part.key_alias.clone().map(|name| (name, key.clone())),
            ),
            None => (key, None),
        };
        if read.iter().any(|(known, _)| *known == key) {
            return Err(format!("duplicate key in comma-separated list property: {key}\n"));
        }
        read.extend(model);
        read.push((key, value));
    }
    // A network card's model may stand alone: `virtio` without an address.
    if let Some((model, _)) = parts.get_key_value("model")
        && let Some(at) = read
            .iter()
            .position(|(key, value)| key == model && parts.get(value).is_some_and(|part| part.key_alias.is_some()))
        && read[at].1.is_empty()
    {
        read.remove(at);
    }
    let errors = errors(parts, &read, path);
    if errors.is_empty() { Ok(read) } else { Err(format!("format error\n{errors}")) }
}

fn errors(parts: &BTreeMap<String, Param>, read: &[(String, String)], path: &str) -> String {
    let mut lines = String::new();
    for (name, part) in parts {
        if part.optional == 0 && part.alias.is_none() && !read.iter().any(|(key, _)| key == name) {
            lines += &format!("{path}.{name}: property is missing and it is not optional\n");
        }
    }
    for (key, value) in read {
        let error = match parts.get(key) {
            None => {
                Some("property is not defined in schema and the schema does not allow additional properties".to_owned())
            }
            Some(part) => check::value_fits(part, &Value::String(value.clone()), &format!("{path}.{key}")).err(),
        };
        if let Some(error) = error {
            lines += &format!("{path}.{key}: {}\n", error.trim_end());
        }
    }
    lines
}

/// Writes parts as Proxmox keeps them: the one without a key first, the others by name.
pub(crate) fn write(first: Option<&str>, parts: &[(String, String)]) -> String {
    let mut others: Vec<String> = parts.iter().map(|(key, value)| format!("{key}={value}")).collect();
    others.sort();
    first.map(str::to_owned).into_iter().chain(others).collect::<Vec<_>>().join(",")
}
