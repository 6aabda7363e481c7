//! Whether a request is valid by the official schema: path, names, types, required ones, limits.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use serde_json::{Map, Value};

use crate::host::{Seen, decode};

pub type Schema = BTreeMap<String, BTreeMap<String, Value>>;

pub fn schema(text: &str) -> Schema {
    serde_json::from_str(text).unwrap()
}

fn matched<'a>(schema: &'a Schema, seen: &Seen) -> Option<(&'a String, Vec<(String, String)>)> {
    schema.keys().find_map(|key| {
        let (method, template) = key.split_once(' ').unwrap();
        let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), seen.path.split('/').collect());
        if method != seen.method || template.len() != path.len() {
            return None;
        }
        let mut fill = Vec::new();
        for (wanted, given) in template.iter().zip(path) {
            match wanted.strip_prefix('{') {
                Some(name) => fill.push((name.trim_end_matches('}').to_owned(), decode(given))),
                None if *wanted != given => return None,
                None => {}
            }
        }
        Some((key, fill))
    })
}

/// The schema's key that a request is, or what is wrong with it.
pub fn check(schema: &Schema, seen: &Seen) -> Result<String, String> {
    let (key, mut given) = matched(schema, seen).ok_or(format!("no such call: {} {}", seen.method, seen.path))?;
    given.extend(seen.params.iter().cloned());
    let mut names = BTreeSet::new();
    for (name, value) in &given {
        if !names.insert(name) {
            return Err(format!("{key}: {name} twice"));
        }
        let indexed = format!("{}[n]", name.trim_end_matches(|c: char| c.is_ascii_digit()));
        let rule = schema[key].get(name).or_else(|| schema[key].get(&indexed)).ok_or(format!("{key}: no {name}"))?;
        fits(rule, value).map_err(|wrong| format!("{key}: {name}={value}: {wrong}"))?;
    }
    for (name, rule) in &schema[key] {
        if rule["optional"].as_u64() != Some(1) && !names.contains(name) {
            return Err(format!("{key}: without {name}"));
        }
    }
    Ok(key.clone())
}

fn number(rule: &Value) -> Option<f64> {
    rule.as_f64().or_else(|| rule.as_str().and_then(|text| text.parse().ok()))
}

fn fits(rule: &Value, value: &str) -> Result<(), String> {
    let whole = |pattern: &str| Regex::new(&format!("^(?:{})$", pattern.replace("(?^:", "(?:"))).unwrap();
    let kind = rule["type"].as_str().unwrap_or("string");
    let right = match kind {
        "integer" => whole(r"-?\d+").is_match(value),
        "number" => value.parse::<f64>().is_ok(),
        "boolean" => value == "0" || value == "1",
        _ => true,
    };
    if !right {
        return Err(format!("not of type {kind}"));
    }
    let size = value.parse::<f64>().unwrap_or(0.0);
    if number(&rule["minimum"]).is_some_and(|min| size < min) || number(&rule["maximum"]).is_some_and(|max| size > max)
    {
        return Err("beyond its limits".into());
    }
    let length = value.chars().count() as f64;
    if number(&rule["minLength"]).is_some_and(|min| length < min)
        || number(&rule["maxLength"]).is_some_and(|max| length > max)
    {
        return Err("too short or too long".into());
    }
    if let Some(allowed) = rule["enum"].as_array()
        && !allowed.iter().any(|each| each.as_str().map_or(each.to_string(), str::to_owned) == value)
    {
        return Err("not among those allowed".into());
    }
    if let Some(pattern) = rule["pattern"].as_str()
        && !whole(pattern).is_match(value)
    {
        return Err(format!("not like {pattern}"));
    }
    match &rule["format"] {
        Value::Object(parts) => properties(parts, value),
        Value::String(name) => named(name, value).then_some(()).ok_or(format!("not a {name}")),
        _ => Ok(()),
    }
}

/// `name=eth0,bridge=vmbr0`: a property string.
fn properties(rules: &Map<String, Value>, text: &str) -> Result<(), String> {
    let mut given = BTreeSet::new();
    for pair in text.split(',') {
        let default =
            rules.iter().find(|(_, rule)| rule["default_key"].as_u64() == Some(1)).map(|(name, _)| name.as_str());
        let (name, value) = pair.split_once('=').or(default.map(|name| (name, pair))).ok_or("a part without a name")?;
        fits(rules.get(name).ok_or(format!("no part {name}"))?, value).map_err(|wrong| format!("{name}: {wrong}"))?;
        given.insert(name.to_owned());
    }
    let missing = rules.iter().find(|(name, rule)| rule["optional"].as_u64() != Some(1) && !given.contains(*name));
    missing.map_or(Ok(()), |(name, _)| Err(format!("without part {name}")))
}

/// Formats whose rule is in Perl only; those that we send.
fn named(name: &str, value: &str) -> bool {
    let pattern = match name {
        "pve-vmid" => "[1-9][0-9]{2,8}",
        "pve-vmid-list" => "[1-9][0-9]{2,8}(,[1-9][0-9]{2,8})*",
        "pve-node" => "[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?",
        "pve-configid" => "[A-Za-z][A-Za-z0-9_-]+",
        "pve-configid-list" => "[A-Za-z][A-Za-z0-9_-]+(,[A-Za-z][A-Za-z0-9_-]+)*",
        "pve-storage-id" => "[A-Za-z][A-Za-z0-9_.-]*[A-Za-z0-9]",
        "pve-poolid" => "[A-Za-z0-9._/-]+",
        "pve-userid" => r"[^\s:/]+@[A-Za-z][A-Za-z0-9._-]+",
        "dns-name" => "[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*",
        "dns-name-list" => "[A-Za-z0-9. -]+",
        "pve-tag-list" => "[a-z0-9_][a-z0-9_+.-]*(;[a-z0-9_][a-z0-9_+.-]*)*",
        "pve-volume-id" | "pve-lxc-mp-string" => "[A-Za-z][A-Za-z0-9_.-]*:.+|/.+",
        "pve-storage-content" | "pve-storage-content-list" => "(images|rootdir|vztmpl|iso|backup|snippets|import)",
        "disk-size" => r"\d+(\.\d+)?[KMGT]?",
        _ => ".*",
    };
    Regex::new(&format!("^(?:{pattern})$")).unwrap().is_match(value)
}

#[test]
fn the_check_itself_refuses_what_a_host_refuses() {
    let schema = schema(include_str!("9.1.json"));
    let put = |params: &[(&str, &str)]| Seen {
        method: "PUT".into(),
        path: "/nodes/pve1/lxc/101/config".into(),
        params: params.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
        headers: Vec::new(),
    };
    check(&schema, &put(&[("memory", "16"), ("onboot", "1"), ("net31", "name=eth0")])).unwrap();
    for (name, value) in [
        ("memory", "15"),
        ("memory", "x"),
        ("onboot", "true"),
        ("cores", "8193"),
        ("nosuch", "1"),
        ("net0", "bridge=vmbr0"),
        ("net0", "name=eth0,x=1"),
        ("cmode", "tv"),
        ("password", "secret"),
    ] {
        check(&schema, &put(&[(name, value)])).unwrap_err();
    }
    let unknown = Seen { path: "/nodes/pve1/lxc/101/nosuch".into(), ..put(&[]) };
    check(&schema, &unknown).unwrap_err();
    let bare = Seen { method: "POST".into(), path: "/nodes/pve1/lxc".into(), ..put(&[("vmid", "101")]) };
    assert!(check(&schema, &bare).unwrap_err().contains("without ostemplate"));
}
