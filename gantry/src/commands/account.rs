//! Accounts, their members and quotas.

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::following;
use crate::{
    client::{Api, Client},
    exit::{Exit, Failure, Outcome},
    output::{Colour, Output},
};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Accounts {
    /// The accounts, with what they have taken of their quotas.
    #[command(visible_alias = "ls")]
    List {
        #[command(flatten)]
        api: Api,
    },
    /// Opens an account.
    Open {
        #[command(flatten)]
        api: Api,
        name: String,
    },
    /// Closes an account: nobody acts for it any more. Its containers stay.
    Close(Named),
    /// Who belongs to an account, and as what.
    Members(Named),
    /// Gives somebody a role in an account.
    Grant {
        #[command(flatten)]
        named: Named,
        /// The user's login or id.
        user: String,
        /// viewer, member, operator or admin.
        role: String,
    },
    /// Leaves an account: you belong to it no more.
    Leave(Named),
    /// Takes somebody out of an account.
    Revoke {
        #[command(flatten)]
        named: Named,
        /// The user's login or id.
        user: String,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Named {
    #[command(flatten)]
    api: Api,
    /// The account's name or id.
    account: String,
}

/// Shows an account's quota and what is taken of it; with limits, sets it: what is left out is without limit then.
#[derive(Debug, clap::Args)]
pub(crate) struct Quota {
    #[command(flatten)]
    named: Named,
    #[arg(long)]
    containers: Option<u32>,
    #[arg(long)]
    cores: Option<u32>,
    #[arg(long, value_name = "MB")]
    memory: Option<u32>,
    #[arg(long, value_name = "GB")]
    disk: Option<u32>,
    #[arg(long)]
    snapshots: Option<u32>,
    #[arg(long)]
    backups: Option<u32>,
    /// No limit at all.
    #[arg(long, conflicts_with_all = ["containers", "cores", "memory", "disk", "snapshots", "backups"])]
    unlimited: bool,
}

impl Accounts {
    pub(crate) async fn run(self, out: Output) -> Outcome {
        match self {
            Self::List { api } => list(&api.client()?, out).await,
            Self::Open { api, name } => {
                let opened = api.client()?.post("/v1/accounts", &json!({ "name": name })).await?;
                out.answer(&opened, || format!("{name} is open: {}", word(&opened, "id")));
                Ok(Exit::Done)
            }
            Self::Close(named) => {
                let client = named.api.client()?;
                let id = find(&client, &named.account).await?;
                client.ask(Method::DELETE, &format!("/v1/accounts/{id}"), &[], None).await?;
                out.answer(&json!({ "closed": id }), || format!("{} is closed.", named.account));
                Ok(Exit::Done)
            }
            Self::Members(named) => members(&named, out).await,
            Self::Grant { named, user, role } => {
                let (client, path) = member(&named, &user).await?;
                let granted = client.ask(Method::PUT, &path, &[], Some(&json!({ "role": role }))).await?;
                out.answer(&granted, || format!("{user} is {role} in {}.", named.account));
                Ok(Exit::Done)
            }
            Self::Leave(named) => {
                let client = named.api.client()?;
                let id = find(&client, &named.account).await?;
                client.ask(Method::DELETE, &format!("/v1/me/accounts/{id}"), &[], None).await?;
                out.answer(&json!({ "left": id }), || format!("You belong to {} no more.", named.account));
                Ok(Exit::Done)
            }
            Self::Revoke { named, user } => {
                let (client, path) = member(&named, &user).await?;
                client.ask(Method::DELETE, &path, &[], None).await?;
                out.answer(&json!({ "revoked": user }), || format!("{user} belongs to {} no more.", named.account));
                Ok(Exit::Done)
            }
        }
    }
}

impl Quota {
    pub(crate) async fn run(self, out: Output) -> Outcome {
        let client = self.named.api.client()?;
        let id = find(&client, &self.named.account).await?;
        let limits = [
            ("containers", self.containers),
            ("cores", self.cores),
            ("memory_mb", self.memory),
            ("disk_gb", self.disk),
            ("snapshots", self.snapshots),
            ("backups", self.backups),
        ];
        let set: Map<String, Value> =
            limits.into_iter().filter_map(|(name, limit)| Some((name.to_owned(), json!(limit?)))).collect();
        let account = match set.is_empty() && !self.unlimited {
            true => client.get(&format!("/v1/accounts/{id}"), &[]).await?,
            false => {
                client.ask(Method::PUT, &format!("/v1/accounts/{id}/quota"), &[], Some(&Value::Object(set))).await?
            }
        };
        out.answer(&account, || {
            let mut table = out.table(["what", "used", "limit"]);
            for (name, _) in limits {
                let (used, limit) = (&account["used"][name], &account["quota"][name]);
                let full = limit.as_u64().is_some_and(|limit| used.as_u64() >= Some(limit));
                let limit = if limit.is_null() { "none".to_owned() } else { limit.to_string() };
                let colour = full.then_some(Colour::Bad);
                table.row([(name.to_owned(), None), (used.to_string(), colour), (limit, None)]);
            }
            table.or_else("")
        });
        Ok(Exit::Done)
    }
}

async fn list(client: &Client, out: Output) -> Outcome {
    let (items, more) = client.list("/v1/accounts", &[], 500).await?;
    out.answer(&following::items(&items, more), || {
        let mut table = out.table(["account", "id", "containers", "cores", "memory mb", "disk gb"]);
        for account in &items {
            let of = |name: &str| {
                let limit = &account["quota"][name];
                let limit = if limit.is_null() { String::new() } else { format!(" of {limit}") };
                (format!("{}{limit}", account["used"][name]), None)
            };
            table.row([
                (word(account, "name"), Some(Colour::Strong)),
                (word(account, "id"), None),
                of("containers"),
                of("cores"),
                of("memory_mb"),
                of("disk_gb"),
            ]);
        }
        table.or_else("There are no accounts. `gantry accounts open` opens one.")
    });
    Ok(Exit::Done)
}

async fn members(named: &Named, out: Output) -> Outcome {
    let client = named.api.client()?;
    let id = find(&client, &named.account).await?;
    let (items, more) = client.list(&format!("/v1/accounts/{id}/members"), &[], 500).await?;
    out.answer(&following::items(&items, more), || {
        let mut table = out.table(["login", "role", "user"]);
        for member in &items {
            table.row([(word(member, "login"), None), (word(member, "role"), None), (word(member, "user"), None)]);
        }
        table.or_else("Nobody belongs to it. `gantry accounts grant` changes that.")
    });
    Ok(Exit::Done)
}

async fn member(named: &Named, user: &str) -> Outcome<(Client, String)> {
    let client = named.api.client()?;
    let (account, user) = (find(&client, &named.account).await?, super::user::find(&client, user).await?);
    Ok((client, format!("/v1/accounts/{account}/members/{user}")))
}

pub(super) async fn find(client: &Client, named: &str) -> Outcome<String> {
    if named.parse::<uuid::Uuid>().is_ok() {
        return Ok(named.to_owned());
    }
    let (found, _) = client.list("/v1/accounts", &[("name", named)], 1).await?;
    found.first().map(|account| word(account, "id")).ok_or_else(|| {
        Failure::new(Exit::Refused, format!("there is no account {named}"))
            .next("`gantry accounts list` shows those there are")
    })
}

pub(super) fn word(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}
