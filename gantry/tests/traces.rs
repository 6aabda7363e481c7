//! What a collector of traces is given by the real program, from a request down to the commands on a host.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod run;
#[path = "contract/site.rs"]
mod site;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc;

use serde_json::{Value, json};
use site::Site;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";
const UNWANTED: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// Takes OTLP, and is busy when it is asked first: what was refused has to come again.
fn collector() -> (String, mpsc::Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (give, take) = mpsc::channel();
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = BufReader::new(stream.unwrap());
            let (mut head, mut line) = (String::new(), String::new());
            while stream.read_line(&mut line).unwrap() > 2 {
                head.push_str(&line.to_lowercase());
                line.clear();
            }
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            let mut body = vec![0; length.trim().parse().unwrap()];
            stream.read_exact(&mut body).unwrap();
            let status = if number == 0 { "503 Service Unavailable" } else { "200 OK" };
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}");
            stream.get_mut().write_all(answer.as_bytes()).unwrap();
            if number > 0 && give.send((head, serde_json::from_slice(&body).unwrap())).is_err() {
                return;
            }
        }
    });
    (address, take)
}

/// By their ids.
fn spans(taken: &[(String, Value)]) -> BTreeMap<String, Value> {
    let batches =
        taken.iter().flat_map(|(_, body)| body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap());
    batches.map(|span| (text(span, "spanId").to_owned(), span.clone())).collect()
}

fn text<'a>(span: &'a Value, field: &str) -> &'a str {
    span[field].as_str().unwrap_or_default()
}

fn attribute<'a>(span: &'a Value, key: &str) -> &'a Value {
    let mut attributes = span["attributes"].as_array().unwrap().iter();
    attributes.find(|one| one["key"] == key).map_or(&Value::Null, |one| &one["value"])
}

#[tokio::test]
async fn one_create_is_one_tree_of_spans() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (address, take) = collector();
    let site = Site::with_cluster_and(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &address),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=shop,authorization=Bearer t0ken"),
        ("GANTRY_TRACES__SERVICE", "gantry-test"),
    ]);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let unwanted = client.get(format!("{}/v1/containers", site.url)).bearer_auth(&site.token);
    let unwanted = unwanted.header("traceparent", format!("00-{UNWANTED}-{CALLER}-00")).send().await.unwrap();
    assert_eq!(unwanted.status(), 200);
    let create = client.post(format!("{}/v1/containers", site.url)).bearer_auth(&site.token);
    let create = create.header("traceparent", format!("00-{TRACE}-{CALLER}-01")).header("prefer", "wait=55");
    let made = create.json(&json!({ "hostname": "web1", "template": "nginx" })).send().await.unwrap();
    let (status, made): (_, Value) = (made.status(), made.json().await.unwrap());
    assert!(status == 200 && made["status"] == "succeeded", "{status} {made}");
    // What has not been sent yet is sent before the program ends.
    assert_eq!(site.end(), 0);

    let taken: Vec<(String, Value)> = take.try_iter().collect();
    let (head, body) = &taken[0];
    assert!(head.starts_with("post /v1/traces ") && head.contains("application/json"), "{head}");
    assert!(head.contains("x-tenant: shop") && head.contains("authorization: bearer t0ken"), "{head}");
    let resource = &body["resourceSpans"][0]["resource"];
    assert_eq!(attribute(resource, "service.name"), &json!({ "stringValue": "gantry-test" }));

    let spans = spans(&taken);
    assert!(spans.values().all(|span| text(span, "traceId") != UNWANTED), "its caller did not want it kept");
    let ours: Vec<&Value> = spans.values().filter(|span| text(span, "traceId") == TRACE).collect();
    let request = ours.iter().find(|span| text(span, "parentSpanId") == CALLER).unwrap();
    assert_eq!((text(request, "name"), &request["kind"]), ("POST /v1/containers", &json!(2)), "{request}");
    assert_eq!(attribute(request, "http.response.status_code"), &json!({ "intValue": "200" }));
    let within = |parent: &Value| -> Vec<&Value> {
        ours.iter().filter(|span| text(span, "parentSpanId") == text(parent, "spanId")).copied().collect()
    };
    let operations = within(request);
    assert!(!operations.is_empty() && operations.iter().all(|one| text(one, "name") == "create"), "{operations:?}");
    let steps: Vec<&Value> = operations.iter().flat_map(|one| within(one)).filter(|span| span["kind"] == 1).collect();
    let names: Vec<&str> = steps.iter().map(|step| text(step, "name")).collect();
    for step in ["lease_vmid", "create_guest", "start_guest", "deploy_files", "run_scripts", "finish"] {
        assert!(names.contains(&step), "{step}: {names:?}");
    }
    let beneath = |step: &str| -> Vec<&str> {
        let steps = steps.iter().filter(|one| text(one, "name") == step);
        steps.flat_map(|step| within(step)).map(|span| text(span, "name")).collect()
    };
    assert!(beneath("create_guest").contains(&"POST /nodes/{node}/lxc"), "{:?}", beneath("create_guest"));
    assert!(beneath("run_scripts").contains(&"sh"), "{:?}", beneath("run_scripts"));
    for span in &ours {
        let parent = text(span, "parentSpanId");
        assert!(parent == CALLER || spans.contains_key(parent), "it hangs in the air: {span}");
        let (began, ended) = (text(span, "startTimeUnixNano"), text(span, "endTimeUnixNano"));
        assert!(began.parse::<u64>().unwrap() <= ended.parse().unwrap(), "{span}");
    }
}
