use futures_util::StreamExt as _;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::watchers::{Event, Watching};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn first_a_snapshot_then_everything_then_the_end() {
    let app = TestApp::start().await;
    let (_, id) = app.create("web1").await;
    let mut watching = Watching::begin(&app, id, None).await;
    assert_eq!(watching.response.headers()["content-type"], "text/event-stream; charset=utf-8");
    assert_eq!(watching.response.headers()["cache-control"], "no-cache, no-transform");
    assert_eq!(watching.response.headers()["x-accel-buffering"], "no");
    let first = watching.next().await.unwrap();
    assert_eq!((first.name.as_str(), first.id, &first.data["operation"]["id"]), ("snapshot", None, &json!(id)));
    let accepted = watching.next().await.unwrap();
    assert_eq!((accepted.id, accepted.data["type"].as_str()), (Some(1), Some("step")));
    app.say(id, &[json!({ "type": "log", "source": "10-base.sh", "stream": "stdout", "message": "two\nlines" })]).await;
    let line = watching.next().await.unwrap();
    assert_eq!((line.id, line.data["message"].as_str()), (Some(2), Some("two\nlines")));
    app.work(id, false).await;
    let rest = watching.rest().await;
    let ids: Vec<_> = rest.iter().filter_map(|event| event.id).collect();
    assert_eq!(ids, (3..3 + ids.len() as i64).collect::<Vec<_>>());
    let last = rest.last().unwrap();
    assert_eq!((last.data["type"].as_str(), &last.data["percent"]), (Some("complete"), &json!(100)));
    let percents: Vec<_> = rest.iter().filter_map(|event| event.data["percent"].as_u64()).collect();
    assert!(percents.is_sorted(), "{percents:?}");

    let gone = app.ask(Method::GET, &format!("/v1/operations/{id}/events")).header("last-event-id", last.id.unwrap());
    assert_eq!(gone.send().await.unwrap().status(), 204, "who has all of it need not come back");
    let all = Watching::begin(&app, id, None).await.rest().await;
    assert_eq!(all.len(), 1 + 2 + rest.len());
    let after = app.ask(Method::GET, &format!("/v1/operations/{id}/events?after=3")).send().await.unwrap();
    assert_eq!(Watching::of(after).rest().await.get(1).unwrap().id, Some(4));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retried_operation_is_followed_past_its_first_end() {
    let app = TestApp::start().await;
    let (_, id) = app.create("web1").await;
    app.work(id, true).await;
    let failed = Watching::begin(&app, id, None).await.rest().await;
    assert_eq!(failed.last().unwrap().data["type"], "error");
    let status = app.ask(Method::POST, &format!("/v1/operations/{id}/retry")).send().await.unwrap().status();
    assert_eq!(status, 202);
    let mut watching = Watching::begin(&app, id, None).await;
    for _ in 0..failed.len() {
        watching.next().await.unwrap();
    }
    app.work(id, false).await;
    assert_eq!(watching.rest().await.last().unwrap().data["type"], "complete");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watcher_goes_on_where_it_was_after_a_restart_in_mid_stream() {
    let app = TestApp::start().await;
    let (_, id) = app.create("web1").await;
    let mut watching = Watching::begin(&app, id, None).await;
    let mut seen: Vec<Event> = vec![watching.next().await.unwrap(), watching.next().await.unwrap()];
    app.say(id, &[line(2), line(3)]).await;
    seen.push(watching.next().await.unwrap());
    let app = app.restart().await;
    seen.extend(watching.rest().await);
    let last = seen.iter().filter_map(|event| event.id).next_back();
    app.say(id, &[line(4)]).await;
    let mut again = Watching::begin(&app, id, last).await;
    assert_eq!(again.next().await.unwrap().name, "snapshot");
    app.work(id, false).await;
    seen.extend(again.rest().await);
    let ids: Vec<_> = seen.iter().filter_map(|event| event.id).collect();
    assert_eq!(ids, (1..=ids.len() as i64).collect::<Vec<_>>());
    assert_eq!(seen.last().unwrap().data["type"], "complete");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compression_holds_no_event_back() {
    let app = TestApp::start().await;
    let (_, id) = app.create("web1").await;
    let request = app.ask(Method::GET, &format!("/v1/operations/{id}/events")).header("accept-encoding", "gzip");
    let response = request.send().await.unwrap();
    assert!(response.headers().get("content-encoding").is_none_or(|value| value == "identity"));
    let mut chunks = response.bytes_stream();
    let snapshot = chunks.next().await.unwrap().unwrap();
    assert!(snapshot.starts_with(b"retry: 1000\nevent: snapshot\n"), "{snapshot:?}");
    let list = app.ask(Method::GET, "/v1/templates").header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(list.headers()["content-encoding"], "gzip", "everything else is compressed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_that_is_none_is_refused_and_one_from_the_future_misses_nothing() {
    let app = TestApp::start().await;
    let (_, id) = app.create("web1").await;
    let path = format!("/v1/operations/{id}/events");
    for wrong in ["x", "-1", "99999999999999999999"] {
        let status = app.ask(Method::GET, &path).header("last-event-id", wrong).send().await.unwrap().status();
        assert_eq!(status, 422, "{wrong}");
    }
    let mut watching = Watching::begin(&app, id, Some(1_000_000)).await;
    watching.next().await.unwrap();
    app.say(id, &[line(2)]).await;
    assert_eq!(watching.next().await.unwrap().id, Some(2));
}

fn line(number: u32) -> Value {
    json!({ "type": "log", "source": "test", "stream": "stdout", "message": format!("line {number}") })
}
