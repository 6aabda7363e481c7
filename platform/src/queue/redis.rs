//! The queue on Redis. Each change is one script, so that it happens wholly or not at all; the time is the server's,
//! so that clocks that differ between hosts do no harm.

use std::sync::LazyLock;
use std::time::Duration;

use redis::{Script, ScriptInvocation};
use uuid::Uuid;

use super::job::{Catch, Depth, End, Finish, Job, Place, Taken};
use crate::coordination::{CoordinationError, Link};

static PUSH: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("push.lua")));
static TAKE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("take.lua")));
static RENEW: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("renew.lua")));
static FINISH: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("finish.lua")));

pub(super) struct Remote {
    link: Link,
    keys: String,
    wake: String,
}

type Answer<T> = Result<T, CoordinationError>;

impl Remote {
    pub(super) fn new(link: Link, name: &str, topic: &str) -> Self {
        let keys = format!("{}queue:{name}:", link.prefix);
        let wake = crate::bus::channel(&link.prefix, topic);
        Self { link, keys, wake }
    }

    fn script<'a>(&self, script: &'a Script) -> ScriptInvocation<'a> {
        script.key(self.keys.as_str())
    }

    pub(super) async fn push(&self, job: &Job, delay: Duration, limit: u64) -> Answer<Result<(), u64>> {
        let text = serde_json::to_string(job).map_err(|e| CoordinationError::Answer(e.to_string()))?;
        let mut call = self.script(&PUSH);
        call.arg(job.id.to_string()).arg(text).arg(micros(delay)).arg(limit).arg(&self.wake);
        let (pushed, count): (bool, u64) = call.invoke_async(&mut self.link.connection()).await?;
        Ok(if pushed { Ok(()) } else { Err(count) })
    }

    pub(super) async fn take(&self, want: usize, lease: Duration) -> Answer<Catch> {
        let mut call = self.script(&TAKE);
        call.arg(want).arg(micros(lease));
        let answer: Vec<String> = call.invoke_async(&mut self.link.connection()).await?;
        let [now, next, rest @ ..] = answer.as_slice() else { return Err(odd(&answer)) };
        let now: u64 = now.parse().map_err(|_| odd(&answer))?;
        let next: f64 = next.parse().map_err(|_| odd(&answer))?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "microseconds since 1970 fit")]
        let next = next as u64;
        let mut jobs = Vec::with_capacity(rest.len() / 6);
        for fields in rest.chunks_exact(6) {
            match taken(fields, now) {
                Some(taken) => jobs.push(taken),
                None => self.discard(fields).await,
            }
        }
        Ok(Catch { jobs, next: (next > 0).then(|| Duration::from_micros(next.saturating_sub(now))) })
    }

    /// A job that nobody can read would come again for ever. The log knows its operation, and the sweep queues it anew.
    async fn discard(&self, fields: &[String]) {
        let [id, payload, token, ..] = fields else { return };
        metrics::counter!("gantry_queue_unreadable_total").increment(1);
        tracing::error!(job = id, payload, "a queued job cannot be read and is dropped; is the key prefix ours alone?");
        let mut call = self.script(&FINISH);
        call.arg(&self.wake).arg(id).arg(token).arg(-1).arg("done");
        // The others that came with it need not suffer: it comes again with the end of its lease.
        if let Err(error) = call.invoke_async::<Vec<bool>>(&mut self.link.connection()).await {
            tracing::warn!(%error, job = id, "a job that cannot be read was not dropped; trying again");
        }
    }

    pub(super) async fn renew(&self, leases: &[(Uuid, u64)], lease: Duration) -> Answer<Vec<bool>> {
        let mut call = self.script(&RENEW);
        call.arg(micros(lease));
        for (id, token) in leases {
            call.arg(id.to_string()).arg(token);
        }
        Ok(call.invoke_async(&mut self.link.connection()).await?)
    }

    pub(super) async fn finish(&self, batch: &[Finish]) -> Answer<Vec<bool>> {
        let mut call = self.script(&FINISH);
        call.arg(&self.wake);
        for Finish { id, token, end } in batch {
            call.arg(id.to_string()).arg(token);
            match end {
                End::Done => call.arg(-1).arg("done"),
                End::Again(after) => call.arg(micros(*after)).arg("again"),
                End::Failed(after) => call.arg(micros(*after)).arg("failed"),
                End::Back => call.arg(0).arg("back"),
            };
        }
        Ok(call.invoke_async(&mut self.link.connection()).await?)
    }

    pub(super) async fn place(&self, id: Uuid) -> Answer<Option<Place>> {
        let (id, waiting) = (id.to_string(), self.key("waiting"));
        let mut asked = redis::pipe();
        asked.zscore(self.key("running"), &id).zscore(&waiting, &id).zrank(&waiting, &id).cmd("TIME");
        type Asked = (Option<f64>, Option<f64>, Option<u64>, (u64, u64));
        let (running, due, ahead, time): Asked = asked.query_async(&mut self.link.connection()).await?;
        let now = time.0 * 1_000_000 + time.1;
        Ok(match (running, due, ahead) {
            (Some(_), ..) => Some(Place::Running),
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "microseconds since 1970 fit")]
            (None, Some(due), _) if due as u64 > now => {
                Some(Place::Delayed { for_: Duration::from_micros(due as u64 - now) })
            }
            (None, Some(_), ahead) => Some(Place::Queued { ahead: ahead.unwrap_or(0) }),
            (None, None, _) => None,
        })
    }

    pub(super) async fn depth(&self) -> Answer<Depth> {
        let mut connection = self.link.connection();
        let (seconds, micros): (u64, u64) = redis::cmd("TIME").query_async(&mut connection).await?;
        let now = seconds * 1_000_000 + micros;
        let mut asked = redis::pipe();
        asked.zcount(self.key("waiting"), "-inf", now).zcard(self.key("waiting")).zcard(self.key("running"));
        let (queued, all, running): (u64, u64, u64) = asked.query_async(&mut connection).await?;
        Ok(Depth { queued, delayed: all.saturating_sub(queued), running })
    }

    pub(super) async fn waiting(&self) -> Answer<u64> {
        let mut connection = self.link.connection();
        Ok(redis::cmd("ZCARD").arg(self.key("waiting")).query_async(&mut connection).await?)
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.keys)
    }
}

fn taken(fields: &[String], now: u64) -> Option<Taken> {
    let [_, payload, token, attempt, due, redelivered] = fields else { return None };
    Some(Taken {
        job: serde_json::from_str(payload).ok()?,
        token: token.parse().ok()?,
        attempt: attempt.parse().ok()?,
        redelivered: redelivered == "1",
        waited: Duration::from_micros(now.saturating_sub(due.parse().unwrap_or(now))),
    })
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn odd(answer: &[String]) -> CoordinationError {
    CoordinationError::Answer(answer.first().cloned().unwrap_or_else(|| "nothing".into()))
}
