//! The connection to a host: sends a [`Call`], and says once what came of it.

mod door;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use metrics::{counter, gauge, histogram};
use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Semaphore;
use tracing::{Instrument, Span, field};

use door::Failed;

use crate::call::Call;
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
        let span = tracing::debug_span!(
            "proxmox", trace.name = %label(call), host = self.host(), path = call.path, request, error = field::Empty
        );
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
                Err(error) => {
                    tracing::debug!(seconds = started.elapsed().as_secs_f64(), %error, "refused");
                    Span::current().record("error", field::display(error));
                }
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

    pub(crate) fn said(&self, call: &Call, status: u16, words: String) -> Said {
        Said { host: self.host().into(), call: format!("{} {}", call.method, call.path).into(), status, words }
    }
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
