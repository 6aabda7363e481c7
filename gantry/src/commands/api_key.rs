//! API keys. (`gantry keys` is about the keys that seal secrets.)

use reqwest::Method;
use serde_json::{Value, json};

use super::account::word;
use super::following;
use crate::{
    client::Api,
    exit::{Exit, Outcome},
    output::{Colour, Output},
};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum ApiKeys {
    /// The API keys, and when each was used last.
    #[command(visible_alias = "ls")]
    List {
        #[command(flatten)]
        api: Api,
    },
    /// Hands out a key and prints it: it is shown only now.
    Issue(Issue),
    /// Another key with the same rights; the old one goes on for a while.
    Rotate {
        #[command(flatten)]
        api: Api,
        id: uuid::Uuid,
        /// Seconds that the old key is still good; 0: not any more.
        #[arg(long, default_value_t = 86_400, value_name = "SECONDS")]
        overlap: u32,
    },
    /// Ends a key, at once and for good.
    Revoke {
        #[command(flatten)]
        api: Api,
        id: uuid::Uuid,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Issue {
    #[command(flatten)]
    api: Api,
    name: String,
    /// What it may, like containers:read; may be repeated. `docs/access.md` has all of them.
    #[arg(long = "scope", required = true, value_name = "SCOPE")]
    scopes: Vec<String>,
    /// An address or network that it may come from; may be repeated.
    #[arg(long = "address", value_name = "NET")]
    addresses: Vec<String>,
    /// Until when, like 2030-01-01T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    expires: Option<chrono::DateTime<chrono::Utc>>,
    /// For which account, by name or id; left out: your own, or the installation's.
    #[arg(long)]
    account: Option<String>,
}

impl ApiKeys {
    pub(crate) async fn run(self, out: Output) -> Outcome {
        match self {
            Self::List { api } => list(&api, out).await,
            Self::Issue(args) => {
                let mut client = args.api.client()?;
                if let Some(account) = &args.account {
                    client.account = Some(super::account::find(&client, account).await?);
                }
                let wish = json!({ "name": args.name, "scopes": args.scopes, "addresses": args.addresses,
                                   "expires_at": args.expires });
                shown(&client.post("/v1/api-keys", &wish).await?, out)
            }
            Self::Rotate { api, id, overlap } => {
                let path = format!("/v1/api-keys/{id}/rotate");
                shown(&api.client()?.post(&path, &json!({ "overlap_seconds": overlap })).await?, out)
            }
            Self::Revoke { api, id } => {
                api.client()?.ask(Method::DELETE, &format!("/v1/api-keys/{id}"), &[], None).await?;
                out.answer(&json!({ "revoked": id }), || format!("{id} opens nothing any more."));
                Ok(Exit::Done)
            }
        }
    }
}

/// Alone on its line, so that `$(gantry api-keys issue …)` is the key.
fn shown(key: &Value, out: Output) -> Outcome {
    out.answer(key, || word(key, "key"));
    Ok(Exit::Done)
}

async fn list(api: &Api, out: Output) -> Outcome {
    let (items, more) = api.client()?.list("/v1/api-keys", &[], 500).await?;
    out.answer(&following::items(&items, more), || {
        let mut table = out.table(["key", "begins with", "id", "may", "until", "last used"]);
        for key in &items {
            let scopes: Vec<&str> = key["scopes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let until = match key["revoked"] == true {
                true => ("revoked".to_owned(), Some(Colour::Bad)),
                false => (word(key, "expires_at"), None),
            };
            table.row([
                (word(key, "name"), Some(Colour::Strong)),
                (word(key, "prefix"), None),
                (word(key, "id"), None),
                (scopes.join(" "), None),
                until,
                (word(key, "last_used_at"), None),
            ]);
        }
        table.or_else("There are no API keys. `gantry api-keys issue` hands one out.")
    });
    Ok(Exit::Done)
}
