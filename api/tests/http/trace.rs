use domain::operation::Operation;
use domain::{Aggregate as _, TraceParent, Version};
use reqwest::Method;
use serde_json::json;

use crate::support::{TestApp, answer, operation};

async fn trace_of(app: &TestApp, given: Option<&str>, hostname: &str) -> Option<TraceParent> {
    let wish = json!({ "hostname": hostname, "template": "plain" });
    let request = app.ask(Method::POST, "/v1/containers").json(&wish);
    let request = given.into_iter().fold(request, |request, given| request.header("traceparent", given));
    let (status, body) = answer(request).await;
    assert_eq!(status, 202, "{body}");
    let events = app.app.log.stream(&Operation::stream(operation(&body)), Version(0)).await.unwrap();
    events.first().unwrap().meta.trace.clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callers_trace_goes_into_the_log_and_whoever_brings_none_gets_one() {
    let app = TestApp::start().await;
    let given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let kept = trace_of(&app, Some(given), "web1").await.unwrap();
    assert!(given.contains(kept.trace()) && kept.is_sampled(), "{kept}");
    assert!(!given.contains(kept.span()), "the request is a span of its own: {kept}");
    for (wrong, hostname) in [(None, "web2"), (Some("00-4bf92f-00f0-01"), "web3"), (Some("nonsense"), "web4")] {
        let own = trace_of(&app, wrong, hostname).await.unwrap();
        assert!(!given.contains(own.trace()) && own.trace().len() == 32, "{own}");
    }
}
