//! What is asked of the provider: where its doors are, its keys, and a token for the code that somebody brought.

use std::sync::Arc;
use std::time::{Duration, Instant};

use platform::people::identities::Attempt;
use platform::vault::SecretText;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use super::token::{self, Identity, Jwk, Untrue, Wanted};

/// How long what was found out is taken for true.
const KNOWN: Duration = Duration::from_secs(3600);
/// Unknown keys make us look again, not more often than this.
const LOOK: Duration = Duration::from_secs(30);
const WITHIN: Duration = Duration::from_secs(10);
/// An answer is no longer than this.
const LONGEST: usize = 1024 * 1024;

#[derive(Debug, thiserror::Error)]
pub(super) enum ProviderError {
    #[error("the identity provider does not answer as it should: {0}")]
    Away(String),
    #[error("the identity provider did not take the code: {0}")]
    Refused(String),
    #[error("its token is not believed: {0}")]
    Untrue(#[from] Untrue),
}

/// How this installation is known to the provider.
#[derive(Clone)]
pub struct Client {
    pub issuer: String,
    pub id: String,
    /// None: a public client, whose proof key is all it has.
    pub secret: Option<SecretText>,
}

pub(super) struct Provider {
    client: Client,
    http: reqwest::Client,
    found: Mutex<Option<Arc<Found>>>,
}

struct Found {
    doors: Doors,
    keys: Vec<Jwk>,
    at: Instant,
}

#[derive(Debug, Deserialize)]
struct Doors {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Vec<String>,
}

#[derive(Deserialize)]
struct Keys {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Answer {
    id_token: String,
}

impl Provider {
    pub(super) fn new(client: Client) -> Result<Self, reqwest::Error> {
        // What it says comes from where it is said to be, and from nowhere else.
        let http = reqwest::Client::builder().timeout(WITHIN).redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self { client, http, found: Mutex::default() })
    }

    /// Where somebody is sent to say who they are.
    pub(super) async fn door(&self, state: &str, challenge: &str, attempt: &Attempt) -> Result<String, ProviderError> {
        let found = self.found(KNOWN).await?;
        let door = &found.doors.authorization_endpoint;
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client.id)
            .append_pair("redirect_uri", &attempt.redirect)
            .append_pair("scope", "openid email profile")
            .append_pair("state", state)
            .append_pair("nonce", &attempt.nonce)
            .append_pair("code_challenge", challenge)
            .append_pair("code_challenge_method", "S256")
            .finish();
        Ok(format!("{door}{}{query}", if door.contains('?') { '&' } else { '?' }))
    }

    /// Who brought the code.
    pub(super) async fn who(
        &self,
        code: &SecretText,
        attempt: &Attempt,
        now: chrono::DateTime<chrono::Utc>,
    ) -> Result<Identity, ProviderError> {
        let mut found = self.found(KNOWN).await?;
        let token = self.token(&found.doors, code, attempt).await?;
        if token::names_another_key(token.expose(), &found.keys) {
            found = self.found(LOOK).await?;
        }
        let wanted = Wanted { issuer: &self.client.issuer, client: &self.client.id, nonce: &attempt.nonce, now };
        Ok(token::read(token.expose(), &found.keys, &wanted)?)
    }

    async fn token(&self, doors: &Doors, code: &SecretText, attempt: &Attempt) -> Result<SecretText, ProviderError> {
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", &attempt.redirect),
            ("code_verifier", &attempt.verifier),
        ];
        let mut request = self.http.post(&doors.token_endpoint);
        let methods = &doors.token_endpoint_auth_methods_supported;
        let basic = methods.is_empty() || methods.iter().any(|method| method == "client_secret_basic");
        match &self.client.secret {
            Some(secret) if basic => request = request.basic_auth(&self.client.id, Some(secret.expose())),
            Some(secret) => form.extend([("client_id", &*self.client.id), ("client_secret", secret.expose())]),
            None => form.push(("client_id", &self.client.id)),
        }
        let response = request.form(&form).send().await.map_err(away)?;
        if !response.status().is_success() {
            return Err(ProviderError::Refused(response.status().to_string()));
        }
        Ok(read::<Answer>(response).await?.id_token.into())
    }

    async fn found(&self, known: Duration) -> Result<Arc<Found>, ProviderError> {
        let mut kept = self.found.lock().await;
        if let Some(found) = kept.as_ref().filter(|found| found.at.elapsed() < known) {
            return Ok(found.clone());
        }
        let issuer = self.client.issuer.trim_end_matches('/');
        let doors: Doors = self.get(&format!("{issuer}/.well-known/openid-configuration")).await?;
        if doors.issuer != self.client.issuer {
            let why = format!("it calls itself {}, and oidc.issuer says {}", doors.issuer, self.client.issuer);
            return Err(ProviderError::Away(why));
        }
        let keys: Keys = self.get(&doors.jwks_uri).await?;
        let keys = keys.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect();
        let found = Arc::new(Found { doors, keys, at: Instant::now() });
        *kept = Some(found.clone());
        Ok(found)
    }

    async fn get<T: DeserializeOwned>(&self, url: &str) -> Result<T, ProviderError> {
        let response = self.http.get(url).send().await.map_err(away)?;
        if !response.status().is_success() {
            return Err(ProviderError::Away(format!("{} from {url}", response.status())));
        }
        read(response).await
    }
}

async fn read<T: DeserializeOwned>(mut response: reqwest::Response) -> Result<T, ProviderError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(away)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > LONGEST {
            return Err(ProviderError::Away("its answer is too long".to_owned()));
        }
    }
    // Its words may hold a token.
    serde_json::from_slice(&bytes).map_err(|_| ProviderError::Away("its answer has another shape".to_owned()))
}

fn away(error: reqwest::Error) -> ProviderError {
    ProviderError::Away(error.without_url().to_string())
}
