//! People and keys for the tests of access.

use chrono::TimeDelta;
use domain::UserId;
use platform::clock;
use platform::people::sessions::{self, Hashes, Session};
use platform::people::token;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{TestApp, answer};

/// Somebody, by their token.
#[derive(Debug, Clone)]
pub(crate) struct Somebody {
    pub(crate) id: String,
    pub(crate) token: String,
}

impl TestApp {
    pub(crate) fn as_of(&self, token: &str, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url)).bearer_auth(token)
    }

    pub(crate) async fn account(&self, name: &str) -> String {
        let (status, body) = self.post("/v1/accounts", &json!({ "name": name })).await;
        assert_eq!(status, 201, "{body}");
        body["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn user(&self, login: &str, admin: bool) -> String {
        let (status, body) = self.post("/v1/users", &json!({ "login": login, "admin": admin })).await;
        assert_eq!(status, 201, "{body}");
        body["id"].as_str().unwrap().to_owned()
    }

    /// A session, as signing in begins one.
    pub(crate) async fn session(&self, user: &str, minutes: i64) -> String {
        let text = token::make("gantry_access_").expose().to_owned();
        let now = clock::now();
        let until = now + TimeDelta::minutes(minutes);
        let user: UserId = user.parse().unwrap();
        let session = Session { id: Uuid::new_v4(), user, access_until: until, until: now + TimeDelta::days(1) };
        let hashes = Hashes { access: token::hash(&text), refresh: token::random::<32>() };
        sessions::begin(self.app.log.db(), &session, &hashes, now, None).await.unwrap();
        text
    }

    /// Somebody who is signed in, with a role in the account or nowhere.
    pub(crate) async fn somebody(&self, login: &str, account: Option<(&str, &str)>) -> Somebody {
        let id = self.user(login, false).await;
        if let Some((account, role)) = account {
            let path = format!("/v1/accounts/{account}/members/{id}");
            let (status, body) = answer(self.ask(Method::PUT, &path).json(&json!({ "role": role }))).await;
            assert_eq!((status, body["role"].as_str()), (200, Some(role)), "{body}");
        }
        Somebody { token: self.session(&id, 10).await, id }
    }

    /// A key of the account: its id and its text.
    pub(crate) async fn key(&self, account: Option<&str>, wish: &Value) -> Somebody {
        let mut request = self.ask(Method::POST, "/v1/api-keys").json(wish);
        if let Some(account) = account {
            request = request.header("x-account", account);
        }
        let (status, body) = answer(request).await;
        assert_eq!(status, 201, "{body}");
        let text = |field: &str| body[field].as_str().unwrap().to_owned();
        Somebody { id: text("id"), token: text("key") }
    }

    /// A container of the account, and its operation.
    pub(crate) async fn create_for(&self, account: &str, hostname: &str) -> (String, String) {
        let wish = json!({ "hostname": hostname, "template": "plain" });
        let request = self.ask(Method::POST, "/v1/containers").header("x-account", account).json(&wish);
        let (status, body) = answer(request).await;
        assert_eq!(status, 202, "{body}");
        (body["container"].as_str().unwrap().to_owned(), body["id"].as_str().unwrap().to_owned())
    }
}
