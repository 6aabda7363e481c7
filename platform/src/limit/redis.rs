use std::sync::LazyLock;
use std::time::Duration;

use redis::{AsyncCommands as _, Script};

use super::Count;
use crate::coordination::{CoordinationError, Link};

/// The window's end is set with its first count and never moved.
static ADD: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local times = tonumber(redis.call('GET', KEYS[1]) or '0')
         local left = redis.call('PTTL', KEYS[1])
         if left < 0 then times = 0; left = tonumber(ARGV[1]) end
         if tonumber(ARGV[2]) > 0 then
           times = times + tonumber(ARGV[2])
           redis.call('SET', KEYS[1], times, 'PX', math.max(left, 1))
         end
         return {times, left}",
    )
});

fn name(link: &Link, key: &str) -> String {
    format!("{}count:{key}", link.prefix)
}

pub(super) async fn add(link: &Link, key: &str, window: Duration, times: u64) -> Result<Count, CoordinationError> {
    let mut call = ADD.key(name(link, key));
    call.arg(u64::try_from(window.as_millis()).unwrap_or(u64::MAX)).arg(times);
    let (times, left): (u64, u64) = call.invoke_async(&mut link.connection()).await?;
    Ok(Count { times, ends_in: Duration::from_millis(left) })
}

pub(super) async fn forget(link: &Link, key: &str) -> Result<(), CoordinationError> {
    let () = link.connection().del(name(link, key)).await?;
    Ok(())
}
