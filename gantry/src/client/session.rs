//! The token of each request. One that ran out is renewed, when it is a session's.

use std::sync::{Arc, PoisonError, RwLock};

use platform::vault::SecretText;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;

use super::contexts::{self, Context, Contexts};
use super::{Client, failure, read};
use crate::exit::Outcome;

/// Cheap to clone; all clones have the same token.
#[derive(Clone)]
pub(super) struct Token {
    text: Arc<RwLock<SecretText>>,
    /// The context that it is of.
    pub(super) context: Option<Arc<str>>,
}

#[derive(Deserialize)]
pub(crate) struct Tokens {
    pub access_token: String,
    pub refresh_token: String,
}

impl Token {
    pub(super) fn fixed(text: String) -> Self {
        Self { text: Arc::new(RwLock::new(text.into())), context: None }
    }

    pub(super) fn of(name: &str, context: &Context) -> Self {
        Self { context: Some(name.into()), ..Self::fixed(context.access_token.clone()) }
    }

    pub(super) fn get(&self) -> SecretText {
        self.text.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, text: String) {
        *self.text.write().unwrap_or_else(PoisonError::into_inner) = text.into();
    }
}

impl Client {
    /// Whether there is another token now: another command renewed it, or this one does.
    pub(super) async fn renewed(&self) -> Outcome<bool> {
        let Some(name) = self.token.context.clone() else { return Ok(false) };
        let _lock = contexts::lock()?;
        let mut all = Contexts::read()?;
        let Some(context) = all.contexts.get_mut(&*name) else { return Ok(false) };
        if context.access_token != self.token.get().expose() {
            self.token.set(context.access_token.clone());
            return Ok(true);
        }
        let url = format!("{}/v1/session/refresh", self.url);
        let request = self.http.request(Method::POST, url).json(&json!({ "refresh_token": context.refresh_token }));
        let response = request.send().await.map_err(|error| failure::unreachable(&self.url, error))?;
        if !response.status().is_success() {
            return Ok(false);
        }
        let answer = response.json().await.map_err(|error| failure::unreadable(&self.url, error))?;
        let tokens: Tokens = read(&answer)?;
        context.access_token.clone_from(&tokens.access_token);
        context.refresh_token = tokens.refresh_token;
        all.write()?;
        self.token.set(tokens.access_token);
        Ok(true)
    }
}
