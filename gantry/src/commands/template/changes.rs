//! What is other in a guest than it was: for a second run, which should have changed nothing.

use std::collections::BTreeMap;

/// By kind and name: what is told of it.
type Told<'a> = BTreeMap<(&'a str, &'a str), Vec<&'a str>>;

/// In words, a line each; nothing for two that are the same.
pub(super) fn changes(before: &[String], after: &[String]) -> Vec<String> {
    let (before, after) = (told(before), told(after));
    let mut changes = Vec::new();
    for (key, had) in &before {
        match after.get(key) {
            // Without its file a content is gone of itself.
            None if key.0 == "content" => {}
            None => changes.push(format!("{}: is gone", named(*key))),
            Some(has) => changes.extend(other(*key, had, has)),
        }
    }
    let new = after.keys().filter(|key| key.0 != "content" && !before.contains_key(*key));
    changes.extend(new.map(|key| format!("{}: is new", named(*key))));
    changes.sort();
    changes.dedup();
    changes
}

/// A line says `file TYPE MODE OWNER PATH`, `content DIGEST PATH`, `data PATH` or `package NAME VERSION…`.
fn told(lines: &[String]) -> Told<'_> {
    let mut all = Told::new();
    for line in lines {
        let Some((kind, rest)) = line.split_once(' ') else { continue };
        let (name, about): (&str, Vec<&str>) = match kind {
            "file" => {
                let mut words: Vec<&str> = rest.splitn(4, ' ').collect();
                (words.pop().unwrap_or_default().trim_end(), words)
            }
            "content" => {
                let (digest, path) = rest.split_once(' ').unwrap_or((rest, ""));
                (path.trim_start(), vec![digest])
            }
            "package" => {
                let (name, version) = rest.split_once(' ').unwrap_or((rest, ""));
                (name, vec![version])
            }
            _ => (rest, Vec::new()),
        };
        all.insert((kind, name), about);
    }
    all
}

fn named((kind, name): (&str, &str)) -> String {
    if kind == "package" { format!("the package {name}") } else { name.to_owned() }
}

fn other(key: (&str, &str), had: &[&str], has: &[&str]) -> Vec<String> {
    let whats: &[&str] = match key.0 {
        "file" => &["type", "mode", "owner"],
        "package" => &["version"],
        _ => &[],
    };
    if key.0 == "content" {
        return if had == has { Vec::new() } else { vec![format!("{}: has another content", key.1)] };
    }
    let pairs = whats.iter().zip(had.iter().zip(has)).filter(|(_, (had, has))| had != has);
    pairs.map(|(what, (had, has))| format!("{}: has {what} {has}, and had {had}", named(key))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_is_told_by_its_name() {
        let lines = |all: &[&str]| all.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        let before = lines(&[
            "file f 0644 0:0 /etc/a ",
            "content aa  /etc/a",
            "file f 0644 0:0 /etc/b ",
            "content bb  /etc/b",
            "file l 0777 0:0 /etc/link /to/one",
            "data /var/lib/x",
            "package curl 1 install ok installed",
        ]);
        let after = lines(&[
            "file f 0600 0:7 /etc/a ",
            "content ac  /etc/a",
            "file f 0644 0:0 /etc/c d ",
            "content cc  /etc/c d",
            "file l 0777 0:0 /etc/link /to/one",
            "data /var/lib/x",
            "package curl 2 install ok installed",
        ]);
        assert_eq!(changes(&before, &before), Vec::<String>::new());
        assert_eq!(
            changes(&before, &after),
            [
                "/etc/a: has another content",
                "/etc/a: has mode 0600, and had 0644",
                "/etc/a: has owner 0:7, and had 0:0",
                "/etc/b: is gone",
                "/etc/c d: is new",
                "the package curl: has version 2 install ok installed, and had 1 install ok installed",
            ]
        );
    }
}
