//! Locks on Redis: one script per change, the server's time.

use std::sync::LazyLock;
use std::time::Duration;

use redis::{AsyncCommands as _, Script};
use uuid::Uuid;

use super::holder::{Held, Holder, Inspection};
use super::{Ask, Reply};
use crate::coordination::{CoordinationError, Link};

static ACQUIRE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("acquire.lua")));
static RENEW: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("renew.lua")));
static LEAVE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("leave.lua")));

type Answer<T> = Result<T, CoordinationError>;

pub(super) struct Remote {
    pub(super) link: Link,
}

impl Remote {
    fn keys(&self, key: &str) -> String {
        format!("{}lock:{key}:", self.link.prefix)
    }

    pub(super) async fn acquire(&self, ask: &Ask) -> Answer<Reply> {
        let info = serde_json::to_string(&ask.holder).map_err(|e| CoordinationError::Answer(e.to_string()))?;
        let mut call = ACQUIRE.key(self.keys(&ask.key));
        call.key(format!("{}lock-token", self.link.prefix)).arg(ask.id.to_string()).arg(info);
        call.arg(micros(ask.lease)).arg(ask.limit).arg(micros(ask.patience));
        let answer: Vec<String> = call.invoke_async(&mut self.link.connection()).await?;
        let odd = || CoordinationError::Answer(answer.join(" "));
        match answer.as_slice() {
            [yes, fence, _] if yes == "1" => Ok(Reply::Yours { fence: fence.parse().map_err(|_| odd())? }),
            [_, ahead, frees_in, holders @ ..] => Ok(Reply::Wait {
                ahead: ahead.parse().map_err(|_| odd())?,
                frees_in: Duration::from_micros(frees_in.parse().map_err(|_| odd())?),
                holders: holders.iter().filter_map(|info| read(info)).collect(),
            }),
            _ => Err(odd()),
        }
    }

    pub(super) async fn renew(&self, key: &str, id: Uuid, lease: Duration) -> Answer<bool> {
        let mut call = RENEW.key(self.keys(key));
        call.arg(id.to_string()).arg(micros(lease));
        Ok(call.invoke_async(&mut self.link.connection()).await?)
    }

    pub(super) async fn leave(&self, key: &str, id: Uuid, topic: &str) -> Answer<bool> {
        let mut call = LEAVE.key(self.keys(key));
        call.arg(id.to_string()).arg(crate::bus::channel(&self.link.prefix, topic));
        Ok(call.invoke_async(&mut self.link.connection()).await?)
    }

    pub(super) async fn list(&self, prefix: &str) -> Answer<Vec<Inspection>> {
        let mut connection = self.link.connection();
        let start = format!("{}lock:", self.link.prefix);
        let pattern = format!("{}*:held", crate::bus::pump::literally(&format!("{start}{prefix}")));
        let mut found = Vec::new();
        let mut cursor = 0_u64;
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(1000);
            let (next, keys): (u64, Vec<String>) = scan.query_async(&mut connection).await?;
            found.extend(
                keys.iter().filter_map(|key| Some(key.strip_prefix(&start)?.strip_suffix(":held")?.to_owned())),
            );
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
        found.sort_unstable();
        found.dedup();
        let mut seen = Vec::with_capacity(found.len());
        for key in found {
            seen.extend(self.inspect(key).await?);
        }
        Ok(seen)
    }

    pub(super) async fn inspect(&self, key: String) -> Answer<Option<Inspection>> {
        let mut connection = self.link.connection();
        let keys = self.keys(&key);
        let (seconds, more): (u64, u64) = redis::cmd("TIME").query_async(&mut connection).await?;
        let now = seconds * 1_000_000 + more;
        let held: Vec<String> = connection.zrangebyscore(format!("{keys}held"), now, "+inf").await?;
        let waiting: u64 = connection.zcount(format!("{keys}alive"), now, "+inf").await?;
        if held.is_empty() && waiting == 0 {
            return Ok(None);
        }
        let mut holders = Vec::with_capacity(held.len());
        for id in held {
            let info: Option<String> = connection.hget(format!("{keys}info"), id).await?;
            holders.extend(info.as_deref().and_then(read));
        }
        Ok(Some(Inspection { key, holders, waiting }))
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// What the script wrote about a holder: token, since, holder.
fn read(info: &str) -> Option<Held> {
    let (fence, rest) = info.split_once('|')?;
    let (since, holder) = rest.split_once('|')?;
    let holder: Holder = serde_json::from_str(holder).ok()?;
    let since = chrono::DateTime::from_timestamp_micros(since.parse().ok()?)?;
    Some(Held { holder, since, fence: fence.parse().ok()? })
}
