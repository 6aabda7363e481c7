//! Who did what, and a container's passwords.

use serde_json::Value;

use super::account::word;
use super::following;
use crate::{
    client::Api,
    exit::{Exit, Outcome},
    output::{Colour, Output},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Audit {
    #[command(flatten)]
    api: Api,
    /// user:ID, key:ID or bootstrap.
    #[arg(long)]
    actor: Option<String>,
    /// An API key's id.
    #[arg(long)]
    key: Option<uuid::Uuid>,
    #[arg(long)]
    address: Option<String>,
    /// Something with its id, like container-ID, or all of a sort, like container.
    #[arg(long)]
    resource: Option<String>,
    /// Kinds of events with commas between, like operation.accepted.
    #[arg(long)]
    action: Option<String>,
    /// From this time on, like 2026-01-01T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Before this time.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// How many at most.
    #[arg(long, default_value_t = 50)]
    limit: usize,
}

impl Audit {
    pub(crate) async fn run(self, out: Output) -> Outcome {
        let key = self.key.map(|id| id.to_string());
        let asked = [
            ("actor", &self.actor),
            ("key", &key),
            ("address", &self.address),
            ("resource", &self.resource),
            ("action", &self.action),
            ("since", &self.since),
            ("until", &self.until),
        ];
        let query: Vec<(&str, &str)> =
            asked.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect();
        let (items, more) = self.api.client()?.list("/v1/audit", &query, self.limit).await?;
        out.answer(&following::items(&items, more), || {
            let mut table = out.table(["at", "who", "from", "what", "on", "why"]);
            for entry in &items {
                table.row([
                    (word(entry, "at"), None),
                    (word(entry, "actor"), Some(Colour::Strong)),
                    (word(entry, "address"), None),
                    (word(entry, "action"), None),
                    (word(entry, "resource"), None),
                    (word(entry, "reason"), None),
                ]);
            }
            table.or_else("Nobody did anything of that kind.")
        });
        Ok(Exit::Done)
    }
}

/// Prints a container's root password and what its template saved. That you read them is recorded.
#[derive(Debug, clap::Args)]
pub(crate) struct Credentials {
    #[command(flatten)]
    api: Api,
    /// The container's host name or id.
    container: String,
    /// Why, for the audit.
    #[arg(long)]
    reason: Option<String>,
}

impl Credentials {
    pub(crate) async fn run(self, out: Output) -> Outcome {
        let mut client = self.api.client()?;
        client.reason = self.reason;
        let id = client.container(&self.container).await?;
        let found = client.get(&format!("/v1/containers/{id}/credentials"), &[]).await?;
        out.answer(&found, || {
            let mut table = out.table(["service", "name", "value"]);
            let root = found["root_password"].as_str().unwrap_or("not kept");
            table.row([("root".to_owned(), None), ("password".to_owned(), None), (root.to_owned(), None)]);
            for (service, values) in found["services"].as_object().into_iter().flatten() {
                for (name, value) in values.as_object().into_iter().flatten() {
                    let value = value.as_str().map_or_else(|| Value::to_string(value), str::to_owned);
                    table.row([(service.clone(), None), (name.clone(), None), (value, None)]);
                }
            }
            table.or_else("")
        });
        Ok(Exit::Done)
    }
}
