//! What we may do, and tokens.

use std::collections::BTreeMap;

use serde::Deserialize;
use zeroize::Zeroizing;

use crate::call::Call;
use crate::client::Client;
use crate::error::Result;
use crate::shell::Secret;

/// Path to privileges to whether they hold for what is below.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions(BTreeMap<String, BTreeMap<String, serde_json::Value>>);

impl Permissions {
    /// Whether `privilege` holds on `path`: granted there, or above it where it is handed down. A path that Proxmox
    /// lists says all there is to say about itself.
    pub fn allow(&self, path: &str, privilege: &str) -> bool {
        if let Some(here) = self.0.get(path) {
            return here.contains_key(privilege);
        }
        let mut above = path;
        while let Some((parent, _)) = above.rsplit_once('/') {
            above = parent;
            if let Some(there) = self.0.get(if above.is_empty() { "/" } else { above }) {
                return there.get(privilege).is_some_and(handed_down);
            }
        }
        false
    }
}

fn handed_down(value: &serde_json::Value) -> bool {
    value.as_u64() == Some(1) || value.as_str() == Some("1") || value.as_bool() == Some(true)
}

#[derive(Debug)]
pub struct NewToken {
    /// `user@realm!name`
    pub id: String,
    /// Shown by Proxmox this one time.
    pub secret: Secret,
}

#[derive(Deserialize)]
struct Row {
    #[serde(rename = "full-tokenid")]
    id: String,
    value: Zeroizing<String>,
}

impl Client {
    /// Our own permissions. Proxmox lists the paths it knows, and those an entry was made for.
    pub async fn permissions(&self) -> Result<Permissions> {
        self.call::<Option<_>>(Call::get("/access/permissions", &[]))
            .await
            .map(|all| Permissions(all.unwrap_or_default()))
    }

    /// What we may do on a path that Proxmox may not list, like `/vms/101`.
    pub async fn permissions_on(&self, path: &str) -> Result<Permissions> {
        let call = Call::get("/access/permissions", &[]).with("path", path);
        self.call::<Option<_>>(call).await.map(|all| Permissions(all.unwrap_or_default()))
    }

    /// `separated`: the token has no privilege until it is given some itself.
    pub async fn create_token(
        &self,
        user: &str,
        name: &str,
        separated: bool,
        comment: Option<&str>,
    ) -> Result<NewToken> {
        let call = Call::post("/access/users/{userid}/token/{tokenid}", &[&user, &name]);
        let row: Row = self.call(call.with("privsep", separated).maybe("comment", &comment)).await?;
        Ok(NewToken { id: row.id, secret: Secret::new(row.value.as_bytes()) })
    }

    pub async fn delete_token(&self, user: &str, name: &str) -> Result<()> {
        self.order(Call::delete("/access/users/{userid}/token/{tokenid}", &[&user, &name])).await
    }
}
