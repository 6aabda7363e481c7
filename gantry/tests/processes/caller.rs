//! Who uses the API: knows the addresses of those that are up, and comes back when one does not answer.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use tokio::time::timeout;

const AGAIN: Duration = Duration::from_millis(50);
/// Whatever is broken behind it, a server that is up says so sooner than this.
const ANSWER: Duration = Duration::from_secs(60);

#[derive(Clone)]
pub(crate) struct Caller {
    client: Client,
    /// Requests go to one after the other, as a proxy in front would send them.
    urls: Arc<Mutex<Vec<String>>>,
    turn: Arc<AtomicUsize>,
    token: String,
    account: Option<String>,
    /// What no server may ever say, whatever is broken around it.
    amiss: Arc<Mutex<Vec<String>>>,
}

impl Caller {
    pub(crate) fn new(url: String, token: String) -> Self {
        let client = Client::builder().no_proxy().build().unwrap();
        let urls = Arc::new(Mutex::new(vec![url]));
        Self { client, urls, turn: Arc::default(), token, account: None, amiss: Arc::default() }
    }

    /// The same, for that account.
    pub(crate) fn of_account(&self, account: &str) -> Self {
        Self { account: Some(account.to_owned()), ..self.clone() }
    }

    pub(crate) fn turn_to(&self, url: String) {
        self.turn_to_all(vec![url]);
    }

    pub(crate) fn turn_to_all(&self, urls: Vec<String>) {
        *self.urls.lock().unwrap() = urls;
    }

    pub(crate) fn note(&self, what: String) {
        self.amiss.lock().unwrap().push(what);
    }

    pub(crate) fn amiss(&self) -> Vec<String> {
        self.amiss.lock().unwrap().clone()
    }

    pub(crate) fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        let url = {
            let urls = self.urls.lock().unwrap();
            urls[self.turn.fetch_add(1, Ordering::Relaxed) % urls.len()].clone()
        };
        let request = self.client.request(method, format!("{url}{path}")).bearer_auth(&self.token);
        match &self.account {
            Some(account) => request.header("x-account", account),
            None => request,
        }
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.send(Method::POST, path, Some(body)).await
    }

    /// Sent until it is answered; the key makes that safe. What a server that goes away or can't now says is no answer.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> (u16, Value) {
        let key = uuid::Uuid::new_v4().to_string();
        loop {
            let mut request = self.ask(method.clone(), path);
            if method != Method::GET {
                request = request.header("idempotency-key", &key);
            }
            if let Some(body) = body {
                request = request.json(body);
            }
            let Ok(answer) = timeout(ANSWER, request.send()).await else {
                self.note(format!("{method} {path} was not answered in {} s", ANSWER.as_secs()));
                continue;
            };
            if let Ok(answer) = answer {
                let status = answer.status();
                let text = answer.text().await;
                if status.as_u16() == 500 {
                    self.note(format!("{method} {path} was answered with 500: {text:?}"));
                }
                if !status.is_server_error()
                    && let Ok(text) = text
                {
                    return (status.as_u16(), serde_json::from_str(&text).unwrap_or(Value::Null));
                }
            }
            tokio::time::sleep(AGAIN).await;
        }
    }
}
