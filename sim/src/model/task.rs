//! Tasks and their names.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::access::Who;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) upid: String,
    pub(crate) node: String,
    pub(crate) kind: String,
    pub(crate) id: String,
    /// The full id, with the token's name.
    pub(crate) user: String,
    pub(crate) pid: u32,
    pub(crate) pstart: u64,
    pub(crate) start: i64,
    pub(crate) end: Option<i64>,
    /// `OK`, the error's text, `WARNINGS: 1` or `unexpected status`.
    pub(crate) exit: Option<String>,
    pub(crate) log: Vec<String>,
}

impl Task {
    pub(crate) fn upid(node: &str, pid: u32, pstart: u64, start: i64, kind: &str, id: &str, user: &str) -> String {
        format!("UPID:{node}:{pid:08X}:{pstart:08X}:{start:08X}:{kind}:{id}:{user}:")
    }

    /// `/tasks/{upid}/status`: the user and the token apart.
    pub(crate) fn status(&self) -> Value {
        let mut all = self.split();
        all["status"] = json!(if self.exit.is_some() { "stopped" } else { "running" });
        if let Some(exit) = &self.exit {
            all["exitstatus"] = json!(exit);
        }
        all
    }

    fn split(&self) -> Value {
        let who = Who::of(&self.user);
        let mut all = json!({"upid": self.upid, "node": self.node, "pid": self.pid, "pstart": self.pstart, "starttime": self.start, "type": self.kind, "id": self.id, "user": who.user});
        if let Some(token) = who.token {
            all["tokenid"] = json!(token);
        }
        all
    }

    /// A row among finished tasks.
    pub(crate) fn finished(&self) -> Value {
        let mut all = self.split();
        all["endtime"] = json!(self.end);
        all["status"] = json!(self.exit);
        all
    }

    /// A row among active tasks, where the user is not split.
    pub(crate) fn active(&self) -> Value {
        json!({"upid": self.upid, "node": self.node, "pid": self.pid, "pstart": self.pstart, "starttime": self.start, "type": self.kind, "id": self.id, "user": self.user,
            "status": "RUNNING", "saved": "0"})
    }

    pub(crate) fn failed(&self) -> bool {
        self.exit.as_deref().is_some_and(|exit| exit != "OK")
    }
}

/// What a UPID says of itself.
pub(crate) struct Upid {
    pub(crate) node: String,
    pub(crate) user: String,
}

pub(crate) fn parse(upid: &str) -> Option<Upid> {
    let words: Vec<&str> = upid.split(':').collect();
    let hex = |word: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte))
    };
    match words.as_slice() {
        ["UPID", node, pid, pstart, start, kind, _, user, ""]
            if hex(pid, 8..=8)
                && hex(pstart, 8..=9)
                && hex(start, 8..=8)
                && !kind.is_empty()
                && !node.is_empty()
                && !user.is_empty() =>
        {
            Some(Upid { node: (*node).to_owned(), user: (*user).to_owned() })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_upid_is_written_and_read_as_the_real_one() {
        let real = "UPID:pve1:000013EC:00037937:6B0094BE:vzcreate:201:root@pam!t1:";
        assert_eq!(Task::upid("pve1", 5100, 227_639, 1_795_200_190, "vzcreate", "201", "root@pam!t1"), real);
        assert_eq!(parse(real).unwrap().user, "root@pam!t1");
        assert!(parse("UPID:pve1:13EC:00037937:6B0094BE:vzcreate:201:root@pam:").is_none());
        assert!(parse("nonsense").is_none());
    }
}
