//! The name of a task: `UPID:node:pid:pstart:starttime:type:id:user:`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Upid {
    text: String,
    node: String,
    kind: String,
    id: String,
    user: String,
    started: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the name of a Proxmox task")]
pub struct NotAUpid(String);

impl Upid {
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The node that runs it, where it must be asked about.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// `vzcreate`, `vzstart`, …
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Mostly a VMID; empty for tasks of the node.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The whole token id when a token started it: `root@pam!t1`.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Seconds since 1970, by the node's clock.
    pub fn started(&self) -> u64 {
        self.started
    }
}

impl FromStr for Upid {
    type Err = NotAUpid;

    fn from_str(text: &str) -> Result<Self, NotAUpid> {
        let wrong = || NotAUpid(text.chars().take(200).collect());
        let [tag, node, pid, pstart, start, kind, id, user, end] =
            <[&str; 9]>::try_from(text.split(':').collect::<Vec<_>>()).map_err(|_| wrong())?;
        let hex = |digits: &str, range: std::ops::RangeInclusive<usize>| {
            range.contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit())
        };
        let whole = tag == "UPID" && end.is_empty() && !node.is_empty() && !kind.is_empty() && !user.is_empty();
        if !whole || !hex(pid, 8..=8) || !hex(pstart, 8..=9) || !hex(start, 8..=8) {
            return Err(wrong());
        }
        let started = u64::from_str_radix(start, 16).map_err(|_| wrong())?;
        let own = str::to_owned;
        Ok(Self { text: own(text), node: own(node), kind: own(kind), id: own(id), user: own(user), started })
    }
}

impl fmt::Display for Upid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Upid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Upid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_real_one() {
        let text = "UPID:pve1:000013EC:00037937:6B0094BE:vzcreate:201:root@pam!t1:";
        let upid: Upid = text.parse().unwrap();
        assert_eq!((upid.node(), upid.kind(), upid.id(), upid.user()), ("pve1", "vzcreate", "201", "root@pam!t1"));
        assert_eq!((upid.started(), upid.to_string().as_str()), (1_795_200_190, text));
        let node_task = "UPID:pve1:00001A02:0003DBDA:6B0095BB:vncshell::root@pam!t1:".parse::<Upid>().unwrap();
        assert_eq!(node_task.id(), "");
    }

    #[test]
    fn anything_else_is_refused() {
        for wrong in [
            "",
            "UPID:",
            "UPID:pve1:13EC:00037937:6B0094BE:vzcreate:201:root@pam:",
            "UPID:pve1:000013EC:00037937:6B0094BE:vzcreate:201:root@pam",
        ] {
            assert!(wrong.parse::<Upid>().is_err(), "{wrong}");
        }
    }
}
