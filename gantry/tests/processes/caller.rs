//! Who uses the API: knows the addresses of those that are up, and comes back when one does not answer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

const AGAIN: Duration = Duration::from_millis(50);

#[derive(Clone)]
pub(crate) struct Caller {
    client: Client,
    /// The one that requests go to, as a proxy in front would choose.
    url: Arc<Mutex<String>>,
    token: String,
}

impl Caller {
    pub(crate) fn new(url: String, token: String) -> Self {
        let client = Client::builder().no_proxy().build().unwrap();
        Self { client, url: Arc::new(Mutex::new(url)), token }
    }

    pub(crate) fn turn_to(&self, url: String) {
        *self.url.lock().unwrap() = url;
    }

    pub(crate) fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        let url = self.url.lock().unwrap().clone();
        self.client.request(method, format!("{url}{path}")).bearer_auth(&self.token)
    }

    /// Sent until it is answered; the key makes that safe. What a server that goes away or can't now says is no answer.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let key = uuid::Uuid::new_v4().to_string();
        loop {
            let request = self.ask(Method::POST, path).header("idempotency-key", &key).json(body);
            if let Ok(answer) = request.send().await
                && !answer.status().is_server_error()
            {
                let status = answer.status().as_u16();
                if let Ok(body) = answer.json().await {
                    return (status, body);
                }
            }
            tokio::time::sleep(AGAIN).await;
        }
    }
}
