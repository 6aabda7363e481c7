//! One text per contract, run on every backend.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Coordination;
use xtask::servers;

/// A test for both backends: `name::memory` and `name::redis`.
macro_rules! both {
    ($name:ident, async |$c:ident: Coordination| $body:block) => {
        mod $name {
            use super::*;
            async fn contract($c: crate::coordination::Coordination) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn memory() {
                contract(crate::coordination::Coordination::in_process()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[ignore = "needs Redis: cargo xtask test"]
            async fn redis() {
                contract(crate::coordination::tests::on_redis().await).await;
            }
        }
    };
}
pub(crate) use both;

static NEXT: AtomicU64 = AtomicU64::new(0);

/// On the server that the test run was given, under a prefix of its own.
pub(crate) async fn on_redis() -> Coordination {
    #[expect(clippy::disallowed_methods, reason = "cargo xtask test says so where its servers are")]
    let url = std::env::var("GANTRY_TEST_REDIS_URL").expect("GANTRY_TEST_REDIS_URL: run this with cargo xtask test");
    let prefix = format!("test:{}:{}:", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    Coordination::connect(Some(&url), &prefix).await.unwrap()
}

/// A server of one's own, to be restarted and emptied; it keeps what it has over a restart.
pub(crate) fn server() -> servers::Redis {
    servers::Redis::start_with(&[("appendonly", "yes")]).unwrap()
}

pub(crate) async fn flush(server: &servers::Redis) {
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let () = redis::cmd("FLUSHALL").exec_async(&mut connection).await.unwrap();
}

#[tokio::test]
async fn a_bad_url_says_what_is_expected() {
    let error = Coordination::connect(Some("http://nowhere"), "t:").await.err().unwrap();
    assert!(error.to_string().contains("redis://"), "{error}");
}

#[tokio::test]
async fn an_absent_server_says_what_to_check() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Arc::new(format!("redis://{}", listener.local_addr().unwrap()));
    drop(listener);
    let error = Coordination::connect(Some(&url), "t:").await.err().unwrap();
    assert!(error.to_string().contains("check REDIS_URL"), "{error}");
}
