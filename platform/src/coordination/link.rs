//! The way to Redis.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use redis::RedisResult;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};

/// A connection that says nothing is asked so often whether it still is one.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// One connection for commands, which mends itself, and the prefix of all our keys and channels.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) client: redis::Client,
    connection: Arc<Mutex<ConnectionManager>>,
    pub(crate) prefix: Arc<str>,
}

impl Link {
    pub(super) async fn to(client: redis::Client, prefix: &str) -> RedisResult<Self> {
        let connection = Arc::new(Mutex::new(connect(&client).await?));
        tokio::spawn(keep(client.clone(), Arc::downgrade(&connection)));
        Ok(Self { client, connection, prefix: prefix.into() })
    }

    /// To be taken anew for each command.
    pub(crate) fn connection(&self) -> ConnectionManager {
        current(&self.connection)
    }
}

/// One that breaks is made again by the manager. To one that only falls silent it holds on for ever.
async fn keep(client: redis::Client, kept: Weak<Mutex<ConnectionManager>>) {
    while let Some(mut connection) = kept.upgrade().map(|kept| current(&kept)) {
        let asked = redis::cmd("PING").exec_async(&mut connection).await;
        if asked.is_err_and(|error| error.is_timeout())
            && let Ok(fresh) = connect(&client).await
            && let Some(kept) = kept.upgrade()
        {
            tracing::warn!("Redis does not answer any more; there is a new connection");
            *kept.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

fn current(kept: &Mutex<ConnectionManager>) -> ConnectionManager {
    kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

async fn connect(client: &redis::Client) -> RedisResult<ConnectionManager> {
    let patience = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(Duration::from_secs(2)))
        .set_response_timeout(Some(Duration::from_secs(5)))
        .set_number_of_retries(2)
        .set_max_delay(Duration::from_millis(300));
    ConnectionManager::new_with_config(client.clone(), patience).await
}
