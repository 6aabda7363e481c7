//! The API as the commands use it: one address, one token, problems turned into failures.

pub(crate) mod contexts;
mod events;
mod failure;
mod find;
mod session;
pub(crate) mod shape;

use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Method, RequestBuilder, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;

pub(crate) use contexts::{Context, Contexts};
pub(crate) use events::Event;
use session::Token;
pub(crate) use session::Tokens;

use crate::exit::{Exit, Failure, Outcome};

/// Where the API is. Who calls is told by GANTRY_TOKEN: a token on the command line would be in the process list.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Api {
    /// Where the API answers [default: where you are signed in, else http://127.0.0.1:8080].
    #[arg(long, env = "GANTRY_URL", value_name = "URL", global = true, help_heading = "Everywhere")]
    url: Option<String>,
}

#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    url: String,
    token: Token,
    /// For which account, when one is a member of several.
    pub account: Option<String>,
    /// Why, for the audit.
    pub reason: Option<String>,
}

impl Api {
    #[expect(clippy::disallowed_methods, reason = "who calls is a client's own affair, and no setting of the server")]
    pub(crate) fn client(&self) -> Outcome<Client> {
        let token = std::env::var("GANTRY_TOKEN").unwrap_or_default();
        if !token.is_empty() {
            let account = std::env::var("GANTRY_ACCOUNT").ok().filter(|account| !account.is_empty());
            return Ok(Client { account, ..Client::new(&self.address(), token)? });
        }
        let all = Contexts::read()?;
        match all.current() {
            Some((name, context)) if self.url.is_none() || self.url.as_ref() == Some(&context.url) => {
                Client::in_context(name, context)
            }
            // A token is for nobody but whom it is from.
            Some((name, context)) => Err(Failure::new(
                Exit::Usage,
                format!("GANTRY_TOKEN is not set, and you are signed in at {} ({name})", context.url),
            )
            .next("`gantry login` there too, or leave the address out")),
            None => Err(Failure::new(Exit::Usage, "GANTRY_TOKEN is not set, and you are signed in nowhere")
                .next("`gantry login`, or export GANTRY_TOKEN=… with an API key or what `gantry token new` printed")),
        }
    }

    pub(crate) fn address(&self) -> String {
        self.url.clone().unwrap_or_else(|| "http://127.0.0.1:8080".to_owned())
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
        let url = url.trim_end_matches('/').to_owned();
        Ok(Self { http, url, token: Token::fixed(token), account: None, reason: None })
    }

    pub(crate) fn in_context(name: &str, context: &Context) -> Outcome<Self> {
        let client = Self::new(&context.url, String::new())?;
        Ok(Self { token: Token::of(name, context), account: context.account.clone(), ..client })
    }

    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Outcome<Value> {
        self.value(self.request(Method::GET, path).query(query)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Outcome<Value> {
        self.send_body(Method::POST, path, body).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Outcome<Value> {
        self.send_body(Method::PATCH, path, body).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Outcome<Value> {
        self.send_body(Method::PUT, path, body).await
    }

    async fn send_body(&self, method: Method, path: &str, body: &Value) -> Outcome<Value> {
        // One key for one command: whoever repeats it after a lost answer would get a container too many.
        let key = uuid::Uuid::now_v7().to_string();
        self.value(self.request(method, path).header("idempotency-key", key).json(body)).await
    }

    /// A command that says all in its path.
    pub(crate) async fn act(&self, path: &str, query: &[(&str, &str)]) -> Outcome<Value> {
        let key = uuid::Uuid::now_v7().to_string();
        self.value(self.request(Method::POST, path).header("idempotency-key", key).query(query)).await
    }

    pub(crate) async fn delete(&self, path: &str, query: &[(&str, &str)]) -> Outcome<Value> {
        self.value(self.request(Method::DELETE, path).query(query)).await
    }

    /// Anything; an answer without a body is null.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Outcome<Value> {
        let mut request = self.request(method, path).query(query);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = self.send(request).await?;
        let text = response.text().await.map_err(|error| failure::unreadable(&self.url, error))?;
        Ok(if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap_or(Value::String(text)) })
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
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        let token = self.token.get();
        if !token.expose().is_empty() {
            request = request.bearer_auth(token.expose());
        }
        for (name, value) in [("x-account", &self.account), ("x-reason", &self.reason)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        request
    }

    async fn value(&self, request: RequestBuilder) -> Outcome<Value> {
        let response = self.send(request).await?;
        response.json().await.map_err(|error| failure::unreadable(&self.url, error))
    }

    async fn send(&self, request: RequestBuilder) -> Outcome<Response> {
        let again = request.try_clone();
        let mut response = request.send().await.map_err(|error| failure::unreachable(&self.url, error))?;
        if let (401, Some(again)) = (response.status().as_u16(), again)
            && self.renewed().await?
        {
            let mut request = again.build()?;
            let mut header = HeaderValue::try_from(format!("Bearer {}", self.token.get().expose()))?;
            header.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, header);
            response = self.http.execute(request).await.map_err(|error| failure::unreachable(&self.url, error))?;
        }
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
