//! How a guest says whose it is: a tag, so that it is found in a list, and a line of its description that names the
//! container. A guest without both is never taken down.

use uuid::Uuid;

use crate::ContainerId;

pub const TAG: &str = "gantry";
pub(super) const LINE: &str = "gantry:container=";

/// The line that goes into the guest's description.
#[must_use]
pub fn marker(container: ContainerId) -> String {
    format!("{LINE}{container}")
}

/// Proxmox gives them with `;` between, and takes commas and blanks as well.
pub fn tags(text: &str) -> impl Iterator<Item = &str> {
    text.split([';', ',', ' ']).filter(|tag| !tag.is_empty())
}

/// Those that are its owner's.
pub fn own_tags(text: &str) -> impl Iterator<Item = &str> {
    tags(text).filter(|tag| *tag != TAG)
}

/// The container that the guest belongs to. Proxmox gives a newline after the description.
///
/// A description with two markers belongs to nobody: somebody copied it.
#[must_use]
pub fn parse(tags: &str, description: &str) -> Option<ContainerId> {
    if !self::tags(tags).any(|tag| tag == TAG) {
        return None;
    }
    let mut found = description.lines().filter_map(|line| line.trim().strip_prefix(LINE));
    match (found.next(), found.next()) {
        (Some(id), None) => id.parse::<Uuid>().ok().map(ContainerId::new),
        _ => None,
    }
}

/// A description without the marker's line, as its owner wrote it.
#[must_use]
pub fn without(description: &str) -> String {
    let kept: Vec<&str> = description.lines().filter(|line| !line.trim().starts_with(LINE)).collect();
    kept.join("\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_bears_the_marker_is_recognised_and_nothing_else() {
        let id = ContainerId::new(Uuid::from_u128(7));
        let line = marker(id);
        assert_eq!(parse("gantry", &line), Some(id));
        assert_eq!(parse("web;gantry", &format!("Ann's shop\n\n{line}\n")), Some(id));
        assert_eq!(parse("web", &line), None, "no tag");
        assert_eq!(parse("gantry", "Ann's shop"), None, "no line");
        assert_eq!(parse("gantry", "gantry:container=7"), None, "no id");
        assert_eq!(parse("not-gantry", &line), None, "another tag");
        assert_eq!(parse("gantry", &format!("{line}\n{}", marker(ContainerId::new(Uuid::nil())))), None, "two");
        assert_eq!(parse("gantry", &format!("see {line}")), None, "in the middle of a line");
    }
}
