//! Parameters held against the schema, with the words of Proxmox's own checker.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Format, Param, format, property};

/// Parameters as they came: a form's are all strings, a JSON body's keep their type.
pub(crate) type Given = BTreeMap<String, Value>;
pub(crate) type Errors = BTreeMap<String, String>;

/// Finds a parameter's facts: by its name, or `net0` by `net[n]`.
pub(super) fn named<'a>(params: &'a BTreeMap<String, Param>, name: &str) -> Option<(&'a str, &'a Param)> {
    if let Some((key, param)) = params.get_key_value(name) {
        return Some((key, param));
    }
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = &name[stem.len()..];
    if number.is_empty() || (number.len() > 1 && number.starts_with('0')) {
        return None;
    }
    let (key, param) = params.get_key_value(format!("{stem}[n]").as_str())?;
    (number.parse::<u32>().ok()? <= last_index(stem)).then_some((key, param))
}

/// The schema leaves the limit of an index out.
fn last_index(stem: &str) -> u32 {
    match stem {
        "net" | "ipconfig" => 31,
        "mp" | "unused" | "dev" => 255,
        "scsi" | "virtio" => 30,
        "sata" => 5,
        "ide" | "serial" => 3,
        "usb" => 13,
        "hostpci" => 15,
        "parallel" => 2,
        "numa" => 7,
        _ => 9,
    }
}

/// Checks the parameters of a call. An empty answer is a pass.
pub(crate) fn check(params: &BTreeMap<String, Param>, given: &Given) -> Errors {
    let mut errors = Errors::new();
    for (name, param) in params {
        if param.optional == 0 && !name.ends_with("[n]") && !given.contains_key(name) {
            errors.insert(name.clone(), "property is missing and it is not optional".to_owned());
        }
    }
    for (name, value) in given {
        let Some((_, param)) = named(params, name) else {
            errors.insert(
                name.clone(),
                "property is not defined in schema and the schema does not allow additional properties".to_owned(),
            );
            continue;
        };
        if let Some(needed) = param.requires.as_ref().filter(|needed| !given.contains_key(*needed)) {
            errors.insert(needed.clone(), format!("missing property - '{name}' requires this property"));
        }
        if let Err(error) = value_fits(param, value, name) {
            errors.insert(name.clone(), error);
        }
    }
    errors
}

pub(super) fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(truth) => u8::from(*truth).to_string(),
        // Perl's undef, written into a configuration.
        Value::Null => " ".to_owned(),
        other => other.to_string(),
    }
}

pub(super) fn value_fits(param: &Param, value: &Value, path: &str) -> Result<(), String> {
    if value.is_null() {
        return Ok(());
    }
    let kind = param.kind.as_deref().unwrap_or("string");
    if kind == "array" {
        return Ok(());
    }
    let text = as_text(value);
    let typed = match kind {
        "boolean" => matches!(text.as_str(), "0" | "1"),
        "integer" => {
            let digits = text.strip_prefix(['+', '-']).unwrap_or(&text);
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        }
        "number" => text.parse::<f64>().is_ok_and(f64::is_finite),
        _ => !matches!(value, Value::Array(_) | Value::Object(_)),
    };
    if !typed {
        return Err(format!("type check ('{kind}') failed - got '{text}'"));
    }
    match &param.format {
        Some(Format::Named(name)) => format::check(name, &text).map_err(|error| format!("invalid format - {error}"))?,
        Some(Format::Nested(parts)) => {
            property::parse(parts, &text, path).map_err(|error| format!("invalid format - {error}"))?;
        }
        None => {}
    }
    if let Some(values) = &param.values {
        let listed: Vec<String> = values.iter().map(as_text).collect();
        let stem = text.trim_end_matches(|c: char| c.is_ascii_digit());
        let indexed = stem != text
            && listed.iter().any(|word| word.strip_suffix("[n]") == Some(stem))
            && text[stem.len()..].parse::<u32>().is_ok_and(|n| n <= last_index(stem));
        if !indexed && !listed.contains(&text) {
            return Err(format!("value '{text}' does not have a value in the enumeration '{}'", listed.join(", ")));
        }
    }
    if let Some(pattern) = &param.pattern {
        // Perl anchors the pattern; a newline in a value never fits a dot.
        let fits = compiled(pattern).is_ok_and(|regex| regex.is_match(&text));
        if !fits {
            return Err("value does not match the regex pattern".to_owned());
        }
    }
    if let Some(min) = param.min_length.filter(|min| text.chars().count() < *min) {
        return Err(format!("value must be at least {min} characters long"));
    }
    if let Some(max) = param.max_length.filter(|max| text.chars().count() > *max) {
        return Err(format!("value may only be {max} characters long"));
    }
    if kind == "integer" || kind == "number" {
        let number: f64 = text.parse().unwrap_or_default();
        if let Some(min) = param.minimum.filter(|min| number < *min) {
            return Err(format!("value must have a minimum value of {min}"));
        }
        if let Some(max) = param.maximum.filter(|max| number > *max) {
            return Err(format!("value must have a maximum value of {max}"));
        }
    }
    Ok(())
}

/// The schema's patterns are Perl's: `\0` is a NUL byte, and `{,16}` begins at none.
fn compiled(pattern: &str) -> Result<regex::Regex, regex::Error> {
    regex::Regex::new(&format!("^(?:{})$", pattern.replace("\\0", "\\x00").replace("{,", "{0,")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn errors(call: &str, given: Value) -> Errors {
        check(&super::super::all()[call].params, &serde_json::from_value(given).unwrap())
    }

    #[test]
    fn what_the_real_one_refused_is_refused_in_its_words() {
        let put = "PUT /nodes/{node}/lxc/{vmid}/config";
        let of = |key: &str, value: Value| {
            let given = json!({"node": "pve1", "vmid": "201", key: value});
            errors(put, given).remove(key)
        };
        assert_eq!(of("onboot", json!("yes")).unwrap(), "type check ('boolean') failed - got 'yes'");
        assert_eq!(of("onboot", json!("1")), None);
        assert_eq!(of("onboot", json!(true)), None);
        assert_eq!(of("memory", json!("x")).unwrap(), "type check ('integer') failed - got 'x'");
        assert_eq!(of("memory", json!("15")).unwrap(), "value must have a minimum value of 16");
        assert_eq!(
            of("lxc.cap.drop", json!("x")).unwrap(),
            "property is not defined in schema and the schema does not allow additional properties"
        );
        assert_eq!(
            of("net32", json!("name=eth0")).unwrap(),
            "property is not defined in schema and the schema does not allow additional properties"
        );
        assert_eq!(of("net31", json!("name=eth0,bridge=vmbr0,ip=dhcp")), None);
        assert_eq!(
            of("net0", json!("bridge=vmbr0")).unwrap(),
            "invalid format - format error\nnet0.name: property is missing and it is not optional\n"
        );
        let snapshot =
            errors("POST /nodes/{node}/lxc/{vmid}/snapshot", json!({"node": "pve1", "vmid": "202", "snapname": "x"}));
        assert_eq!(snapshot["snapname"], "invalid format - invalid configuration ID 'x'\n");
    }

    #[test]
    fn values_at_their_limits_pass_and_one_beyond_does_not() {
        let resize = "PUT /nodes/{node}/lxc/{vmid}/resize";
        let of =
            |disk: &str, size: &str| errors(resize, json!({"node": "pve1", "vmid": "100", "disk": disk, "size": size}));
        assert!(of("rootfs", "+1G").is_empty());
        assert!(of("mp255", "2G").is_empty());
        assert!(of("mp256", "2G").contains_key("disk"));
        assert_eq!(of("rootfs", " 1G")["size"], "value does not match the regex pattern");
        assert_eq!(
            errors(resize, json!({"node": "pve1", "vmid": "99", "disk": "rootfs", "size": "1G"}))["vmid"],
            "invalid format - value does not look like a valid VM ID\n"
        );
    }

    #[test]
    fn every_pattern_of_the_schema_is_one_that_can_be_matched() {
        fn walk(params: &BTreeMap<String, Param>) {
            for param in params.values() {
                if let Some(pattern) = &param.pattern {
                    assert!(compiled(pattern).is_ok(), "{pattern}");
                }
                if let Some(Format::Nested(parts)) = &param.format {
                    walk(parts);
                }
            }
        }
        super::super::all().values().for_each(|call| walk(&call.params));
    }
}
