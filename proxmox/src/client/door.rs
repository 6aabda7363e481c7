//! One request through one address of the host, and what its answer means.

use reqwest::header::{CONTENT_TYPE, HeaderMap};

use super::{Answer, Client};
use crate::call::Call;
use crate::classify::classify;
use crate::error::{Error, Outcome};
use crate::tls;

pub(super) enum Failed {
    /// Nothing was sent.
    Closed(Error),
    /// It was sent, and then the connection broke.
    Broken(Error),
    /// It was answered.
    Refused(Error),
}

impl Client {
    pub(super) async fn through(&self, door: usize, call: &Call, headers: &HeaderMap) -> Result<Answer, Failed> {
        let address = &self.0.endpoint.addresses[door];
        let url = format!("https://{address}/api2/json{}", call.path_and_query());
        let mut request = self.0.doors[door].request(call.method.clone(), url).headers(headers.clone());
        if let Some(body) = call.body() {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body);
        }
        let broken = |error: reqwest::Error| {
            if let Some(changed) = tls::changed(&error) {
                return Failed::Closed(Error::Tls { host: format!("{} ({address})", self.host()), changed });
            }
            let closed = error.is_connect();
            let outcome = if closed || call.repeatable() { Outcome::NotDone } else { Outcome::Unknown };
            let error =
                Error::Unreachable(outcome, self.said(call, 0, format!("{address}: {}", chain(error.without_url()))));
            if closed { Failed::Closed(error) } else { Failed::Broken(error) }
        };
        let mut response = request.send().await.map_err(broken)?;
        let status = response.status();
        // Before pve-http-server 5.2 the only words of an error are in the status line.
        let reason = response.extensions().get::<hyper::ext::ReasonPhrase>().map_or_else(
            || status.canonical_reason().unwrap_or_default().to_owned(),
            |reason| String::from_utf8_lossy(reason.as_bytes()).trim().to_owned(),
        );
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(broken)? {
            if body.len() + chunk.len() > self.0.endpoint.limits.bytes {
                let words = format!("an answer of more than {} bytes", self.0.endpoint.limits.bytes);
                return Err(Failed::Refused(Error::Other(self.said(call, status.as_u16(), words))));
            }
            body.extend_from_slice(&chunk);
        }
        let answer = serde_json::from_slice::<Answer>(&body);
        if status.is_success() {
            return answer.map_err(|e| {
                let words = format!("an answer that cannot be read: {e}");
                Failed::Refused(Error::Other(self.said(call, status.as_u16(), words)))
            });
        }
        let answer = answer.unwrap_or_default();
        let words = answer.message.map(|m| m.trim().to_owned()).filter(|m| !m.is_empty()).unwrap_or(reason);
        let fields = answer.errors.unwrap_or_default().into_iter().map(|(name, words)| {
            let words = words.as_str().map_or_else(|| words.to_string(), str::to_owned);
            (name, words)
        });
        let said = self.said(call, status.as_u16(), words);
        Err(Failed::Refused(classify(said, fields.collect(), call.reads())))
    }
}

/// reqwest says "error sending request" and keeps the reason in its sources.
fn chain(error: reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(error) = source {
        let words = error.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        source = error.source();
    }
    text
}
