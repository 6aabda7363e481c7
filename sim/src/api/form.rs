//! Parameters as they come: percent-encoded forms and query strings.

use serde_json::Value;

use crate::schema::Given;

/// Decodes `%41` and, in forms, `+`.
pub(super) fn decode(text: &str, plus: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let raw = text.as_bytes();
    let mut at = 0;
    while at < raw.len() {
        let hex = (raw[at] == b'%')
            .then(|| text.get(at + 1..at + 3).and_then(|pair| u8::from_str_radix(pair, 16).ok()))
            .flatten();
        match (raw[at], hex) {
            (_, Some(byte)) => {
                bytes.push(byte);
                at += 2;
            }
            (b'+', None) if plus => bytes.push(b' '),
            (byte, None) => bytes.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Adds a form's pairs; a name that comes twice becomes a list.
pub(super) fn read(text: &str, given: &mut Given) {
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name, true), Value::String(decode(value, true)));
        match given.get_mut(&name) {
            Some(Value::Array(all)) => all.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
            None => {
                given.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plus_is_a_space_in_a_form_and_itself_in_a_path() {
        assert_eq!(decode("+1G%2B", true), " 1G+");
        assert_eq!(decode("a+b%20c%zz", false), "a+b c%zz");
    }
}
