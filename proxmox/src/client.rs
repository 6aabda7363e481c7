//! The connection to a host: sends a [`Call`], and says once what came of it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use metrics::{counter, gauge, histogram};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Semaphore;
use tracing::Instrument;

use crate::call::Call;
use crate::classify::classify;
use crate::endpoint::{Address, Auth, Endpoint};
use crate::error::{Error, Outcome, Result, Said};
use crate::history::History;
use crate::session::{Identity, Session};
use crate::tls;

/// A host's API. Cheap to clone; all clones share connections, ticket and limits.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    endpoint: Endpoint,
    session: Session,
    doors: Vec<reqwest::Client>,
    /// The door that opened last.
    open: AtomicUsize,
    places: Semaphore,
    requests: AtomicU64,
    history: History,
}

/// `{"data": …}`, or what an error has instead.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Answer {
    pub(crate) data: Value,
    #[serde(deserialize_with = "crate::lenient::maybe_whole")]
    pub(crate) total: Option<u64>,
    #[serde(deserialize_with = "crate::lenient::maybe_text")]
    message: Option<String>,
    errors: Option<BTreeMap<String, Value>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.0.endpoint.name).finish()
    }
}

impl Client {
    pub fn new(endpoint: Endpoint) -> Result<Self> {
        let refuse = |words: String| {
            Error::Other(Said { host: endpoint.name.as_str().into(), call: "the endpoint".into(), status: 0, words })
        };
        if endpoint.addresses.is_empty() {
            return Err(refuse("it has no address".into()));
        }
        let mut doors = Vec::new();
        for address in &endpoint.addresses {
            let tls = tls::pinned(address.fingerprint).map_err(|e| refuse(e.to_string()))?;
            let door = reqwest::Client::builder()
                .tls_backend_preconfigured(tls)
                .http1_only()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .connect_timeout(endpoint.limits.connect)
                .timeout(endpoint.limits.answer)
                // pveproxy closes an idle connection after 5 s; one that we close first is never raced for.
                .pool_idle_timeout(Duration::from_secs(3))
                .pool_max_idle_per_host(endpoint.limits.in_flight)
                .build()
                .map_err(|e| refuse(e.to_string()))?;
            doors.push(door);
        }
        Ok(Self(Arc::new(Inner {
            session: Session::new(&endpoint.auth)?,
            places: Semaphore::new(endpoint.limits.in_flight.max(1)),
            doors,
            open: AtomicUsize::new(0),
            requests: AtomicU64::new(0),
            history: History::default(),
            endpoint,
        })))
    }

    /// What logs and errors call this host.
    pub fn host(&self) -> &str {
        &self.0.endpoint.name
    }

    pub(crate) fn auth(&self) -> &Auth {
        &self.0.endpoint.auth
    }

    pub(crate) fn history(&self) -> &History {
        &self.0.history
    }

    /// The address that answered last.
    pub fn address(&self) -> &Address {
        let addresses = &self.0.endpoint.addresses;
        &addresses[self.0.open.load(Ordering::Relaxed) % addresses.len()]
    }

    /// The headers that say who we are, for the websocket.
    pub(crate) async fn identity(&self) -> Result<Identity> {
        self.0
            .session
            .identity(|call| async move { self.read(&call, &self.rounds(&call, &HeaderMap::new()).await?) })
            .await
    }

    /// Sends it and reads `data`.
    pub(crate) async fn call<T: DeserializeOwned>(&self, call: Call) -> Result<T> {
        let answer = self.answer(&call).await?;
        self.read(&call, &answer)
    }

    /// The same for a list, which may be null.
    pub(crate) async fn list<T: DeserializeOwned>(&self, call: Call) -> Result<Vec<T>> {
        Ok(self.call::<Option<Vec<T>>>(call).await?.unwrap_or_default())
    }

    /// For calls whose answer says nothing more.
    pub(crate) async fn order(&self, call: Call) -> Result<()> {
        self.answer(&call).await.map(drop)
    }

    pub(crate) fn read<T: DeserializeOwned>(&self, call: &Call, answer: &Answer) -> Result<T> {
        T::deserialize(&answer.data)
            .map_err(|e| Error::Other(self.said(call, 200, format!("an answer that cannot be read: {e}"))))
    }

    pub(crate) async fn answer(&self, call: &Call) -> Result<Answer> {
        let request = self.0.requests.fetch_add(1, Ordering::Relaxed);
        let span = tracing::debug_span!("proxmox", host = self.host(), call = %label(call), path = call.path, request);
        async {
            let _place = self.0.places.acquire().await;
            let started = Instant::now();
            let flight = InFlight::new(self.host());
            let result = self.as_ourselves(call).await;
            drop(flight);
            let outcome = result.as_ref().map_or_else(Error::label, |_| "ok");
            counter!("gantry_proxmox_requests_total", "host" => self.host().to_owned(), "call" => label(call), "outcome" => outcome)
                .increment(1);
            histogram!("gantry_proxmox_request_seconds", "host" => self.host().to_owned()).record(started.elapsed());
            match &result {
                Ok(_) => tracing::debug!(seconds = started.elapsed().as_secs_f64(), "answered"),
                Err(error) => tracing::debug!(seconds = started.elapsed().as_secs_f64(), %error, "refused"),
            }
            result
        }
        .instrument(span)
        .await
    }

    /// A ticket that was refused is renewed once; a 401 was never carried out, so even an order is safe to repeat.
    async fn as_ourselves(&self, call: &Call) -> Result<Answer> {
        let identity = self.identity().await?;
        match self.rounds(call, &identity.headers).await {
            Err(Error::Auth(_)) if self.0.session.refused(identity.born).await => {
                let identity = self.identity().await?;
                self.rounds(call, &identity.headers).await
            }
            other => other,
        }
    }

    /// What only reads may be asked again when the connection broke; anything else might be done twice.
    async fn rounds(&self, call: &Call, headers: &HeaderMap) -> Result<Answer> {
        match self.round(call, headers).await {
            Err(Error::Unreachable(_, said)) if said.status == 0 && call.repeatable() => {
                tracing::debug!(words = said.words, "asking again");
                self.round(call, headers).await
            }
            other => other,
        }
    }

    /// Every door once, from the one that opened last; a door that does not open has let nothing through.
    async fn round(&self, call: &Call, headers: &HeaderMap) -> Result<Answer> {
        let (doors, first) = (self.0.doors.len(), self.0.open.load(Ordering::Relaxed));
        let mut worst = None;
        for door in (0..doors).map(|n| (first + n) % doors) {
            match self.through(door, call, headers).await {
                Err(Failed::Closed(error)) => {
                    if matches!(error, Error::Tls { .. }) {
                        tracing::error!(host = self.host(), %error, "certificate refused");
                    }
                    // A changed certificate is the thing to hear about when no other door opens.
                    if !matches!(worst, Some(Error::Tls { .. })) {
                        worst = Some(error);
                    }
                }
                Err(Failed::Broken(error)) => {
                    self.0.open.store((door + 1) % doors, Ordering::Relaxed);
                    return Err(error);
                }
                Err(Failed::Refused(error)) => {
                    self.0.open.store(door, Ordering::Relaxed);
                    return Err(error);
                }
                Ok(answer) => {
                    self.0.open.store(door, Ordering::Relaxed);
                    return Ok(answer);
                }
            }
        }
        Err(worst.unwrap_or_else(|| Error::Unreachable(Outcome::NotDone, self.said(call, 0, "no address".into()))))
    }

    async fn through(&self, door: usize, call: &Call, headers: &HeaderMap) -> std::result::Result<Answer, Failed> {
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

    pub(crate) fn said(&self, call: &Call, status: u16, words: String) -> Said {
        Said { host: self.host().into(), call: format!("{} {}", call.method, call.path).into(), status, words }
    }
}

enum Failed {
    /// Nothing was sent.
    Closed(Error),
    /// It was sent, and then the connection broke.
    Broken(Error),
    /// It was answered.
    Refused(Error),
}

struct InFlight(metrics::Gauge);

impl InFlight {
    fn new(host: &str) -> Self {
        let gauge = gauge!("gantry_proxmox_in_flight", "host" => host.to_owned());
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

fn label(call: &Call) -> String {
    format!("{} {}", call.method, call.template)
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
