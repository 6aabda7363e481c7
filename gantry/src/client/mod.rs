//! The API as the commands use it: one address, one token, problems turned into failures.

mod events;
mod failure;
mod find;
pub(crate) mod shape;

use reqwest::{Method, RequestBuilder, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;

pub(crate) use events::Event;

use crate::exit::{Exit, Failure, Outcome};

/// Where the API is. Who calls is told by GANTRY_TOKEN: a token on the command line would be in the process list.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Api {
    /// Where the API answers.
    #[arg(
        long,
        env = "GANTRY_URL",
        default_value = "http://127.0.0.1:8080",
        value_name = "URL",
        global = true,
        help_heading = "Everywhere"
    )]
    url: String,
}

#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    url: String,
    token: platform::vault::SecretText,
}

impl Api {
    #[expect(clippy::disallowed_methods, reason = "who calls is a client's own affair, and no setting of the server")]
    pub(crate) fn client(&self) -> Outcome<Client> {
        let token = std::env::var("GANTRY_TOKEN").unwrap_or_default();
        if token.is_empty() {
            return Err(Failure::new(Exit::Usage, "GANTRY_TOKEN is not set").next(
                "export GANTRY_TOKEN=… with the token that the first start of `gantry serve` printed, or a newer one",
            ));
        }
        Client::new(&self.url, token)
    }
}

impl Client {
    pub(crate) fn new(url: &str, token: String) -> Outcome<Self> {
        if !(url.starts_with("http://") || url.starts_with("https://")) {
            return Err(Failure::new(Exit::Usage, format!("{url} is no address of an API"))
                .next("write GANTRY_URL like https://gantry.example.org"));
        }
        // Proxies of the environment are for the outside; a request for progress must not end up in one's buffer.
        let http = reqwest::Client::builder().connect_timeout(std::time::Duration::from_secs(5)).build()?;
        Ok(Self { http, url: url.trim_end_matches('/').to_owned(), token: token.into() })
    }

    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Outcome<Value> {
        self.value(self.request(Method::GET, path).query(query)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Outcome<Value> {
        // One key for one command: whoever repeats it after a lost answer would get a container too many.
        let key = uuid::Uuid::now_v7().to_string();
        self.value(self.request(Method::POST, path).header("idempotency-key", key).json(body)).await
    }

    /// A command that says all in its path.
    pub(crate) async fn act(&self, path: &str, query: &[(&str, &str)]) -> Outcome<Value> {
        let key = uuid::Uuid::now_v7().to_string();
        self.value(self.request(Method::POST, path).header("idempotency-key", key).query(query)).await
    }

    pub(crate) async fn delete(&self, path: &str, query: &[(&str, &str)]) -> Outcome<Value> {
        self.value(self.request(Method::DELETE, path).query(query)).await
    }

    /// All items of a list up to a number, and whether there are more.
    pub(crate) async fn list(&self, path: &str, query: &[(&str, &str)], most: usize) -> Outcome<(Vec<Value>, bool)> {
        let (mut items, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let left = most.saturating_sub(items.len()).clamp(1, 500).to_string();
            let mut asked = query.to_vec();
            asked.push(("limit", &left));
            if let Some(cursor) = &cursor {
                asked.push(("cursor", cursor));
            }
            let mut page = self.get(path, &asked).await?;
            if let Value::Array(more) = page["items"].take() {
                items.extend(more);
            }
            cursor = page["next"].as_str().map(str::to_owned);
            if cursor.is_none() || items.len() >= most {
                return Ok((items, cursor.is_some()));
            }
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url)).bearer_auth(self.token.expose())
    }

    async fn value(&self, request: RequestBuilder) -> Outcome<Value> {
        let response = self.send(request).await?;
        response.json().await.map_err(|error| failure::unreadable(&self.url, error))
    }

    async fn send(&self, request: RequestBuilder) -> Outcome<Response> {
        let response = request.send().await.map_err(|error| failure::unreachable(&self.url, error))?;
        if response.status().is_success() { Ok(response) } else { Err(failure::refused(response).await) }
    }
}

/// What is shown of an answer; the rest of it goes to scripts unchanged.
pub(crate) fn read<T: DeserializeOwned>(value: &Value) -> Outcome<T> {
    T::deserialize(value).map_err(|error| {
        Failure::from(anyhow::Error::new(error).context("the API's answer has another shape than this program knows"))
            .next("use the gantry of the API's version; --json shows the answer as it is")
    })
}
