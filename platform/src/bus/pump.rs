//! The one Redis subscription of this process, fanned out to its topics.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio_util::sync::CancellationToken;

use super::topics::Topics;

/// A half-open connection says nothing; asking is the only way to know.
const ASK_EVERY: Duration = Duration::from_secs(5);
const RECONNECT_AFTER: Duration = Duration::from_millis(100);

pub(super) async fn run(client: redis::Client, channel: String, topics: Arc<Topics>, stop: CancellationToken) {
    let pumping = async {
        loop {
            if let Err(error) = pump(&client, &channel, &topics).await {
                tracing::warn!(%error, "the bus lost its subscription; connecting again");
            }
            tokio::time::sleep(RECONNECT_AFTER).await;
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = pumping => {}
    }
}

async fn pump(client: &redis::Client, channel: &str, topics: &Topics) -> redis::RedisResult<()> {
    let (mut sink, mut messages) = client.get_async_pubsub().await?.split();
    sink.psubscribe(format!("{}*", literally(channel))).await?;
    topics.resync();
    let mut ask = tokio::time::interval(ASK_EVERY);
    loop {
        tokio::select! {
            message = messages.next() => {
                let Some(message) = message else { return Ok(()) };
                let topic = message.get_channel_name().strip_prefix(channel);
                if let (Some(topic), Ok(up_to)) = (topic, message.get_payload()) {
                    topics.signal(topic, up_to);
                }
            }
            _ = ask.tick() => {
                let answer = tokio::time::timeout(ASK_EVERY, sink.ping::<redis::Value>()).await;
                answer.map_err(|_| redis::RedisError::from((redis::ErrorKind::Io, "no answer to PING")))??;
            }
        }
    }
}

/// A pattern that means the text itself.
pub(crate) fn literally(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '*' | '?' | '[' | ']' | '^' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern
}
