//! Users: the people who sign in.

use reqwest::Method;
use serde_json::{Value, json};

use super::account::word;
use super::following;
use crate::{
    client::{Api, Client},
    exit::{Exit, Failure, Outcome},
    output::{Colour, Output},
};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Users {
    #[command(visible_alias = "ls")]
    /// The users.
    List {
        #[command(flatten)]
        api: Api,
    },
    /// Creates a user, and prints a link with which they set a password, once.
    Create {
        #[command(flatten)]
        api: Api,
        /// A name or an e-mail address.
        login: String,
        /// Administrator of the whole installation.
        #[arg(long)]
        admin: bool,
    },
    /// Another link that sets a password, for who forgot theirs.
    Link(Named),
    /// Disables a user: their sessions end, they sign in no more.
    Disable(Named),
    Enable(Named),
    /// Deletes what names a user. What they did stays in the audit.
    Forget(Named),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Named {
    #[command(flatten)]
    api: Api,
    /// The user's login or id.
    user: String,
}

impl Users {
    pub(crate) async fn run(self, out: Output) -> Outcome {
        match self {
            Self::List { api } => list(&api.client()?, out).await,
            Self::Create { api, login, admin } => {
                let created = api.client()?.post("/v1/users", &json!({ "login": login, "admin": admin })).await?;
                out.answer(&created, || told(&created, &login));
                Ok(Exit::Done)
            }
            Self::Link(named) => {
                let (client, id) = named.find().await?;
                let user = client.ask(Method::POST, &format!("/v1/users/{id}/password-link"), &[], None).await?;
                out.answer(&user, || told(&user, &named.user));
                Ok(Exit::Done)
            }
            Self::Disable(named) => change(&named, true, out).await,
            Self::Enable(named) => change(&named, false, out).await,
            Self::Forget(named) => {
                let (client, id) = named.find().await?;
                client.ask(Method::DELETE, &format!("/v1/users/{id}"), &[], None).await?;
                out.answer(&json!({ "forgotten": id }), || format!("{id} is nobody any more."));
                Ok(Exit::Done)
            }
        }
    }
}

impl Named {
    async fn find(&self) -> Outcome<(Client, String)> {
        let client = self.api.client()?;
        let id = find(&client, &self.user).await?;
        Ok((client, id))
    }
}

fn told(user: &Value, login: &str) -> String {
    format!(
        "The link of {login} is good for one use, within a week, and shown only now:\n\n  {}\n\nThey set their password \
         with: GANTRY_PASSWORD_LINK=… gantry login {login} --set-password",
        word(user, "password_link")
    )
}

async fn change(named: &Named, disabled: bool, out: Output) -> Outcome {
    let (client, id) = named.find().await?;
    let user =
        client.ask(Method::PATCH, &format!("/v1/users/{id}"), &[], Some(&json!({ "disabled": disabled }))).await?;
    out.answer(&user, || format!("{} is {}.", named.user, if disabled { "disabled" } else { "enabled" }));
    Ok(Exit::Done)
}

async fn list(client: &Client, out: Output) -> Outcome {
    let (items, more) = client.list("/v1/users", &[], 500).await?;
    out.answer(&following::items(&items, more), || {
        let mut table = out.table(["login", "id", "what", "signed in"]);
        for user in &items {
            let what = match (user["disabled"] == true, user["admin"] == true) {
                (true, _) => ("disabled".to_owned(), Some(Colour::Bad)),
                (_, true) => ("administrator".to_owned(), Some(Colour::Strong)),
                _ => (String::new(), None),
            };
            table.row([
                (word(user, "login"), None),
                (word(user, "id"), None),
                what,
                (word(user, "signed_in_at"), None),
            ]);
        }
        table.or_else("There are no users. `gantry users create` makes one.")
    });
    Ok(Exit::Done)
}

pub(super) async fn find(client: &Client, named: &str) -> Outcome<String> {
    if named.parse::<uuid::Uuid>().is_ok() {
        return Ok(named.to_owned());
    }
    let (users, _) = client.list("/v1/users", &[], usize::MAX).await?;
    let found = users.iter().find(|user| user["login"].as_str().is_some_and(|login| login.eq_ignore_ascii_case(named)));
    found.map(|user| word(user, "id")).ok_or_else(|| {
        Failure::new(Exit::Refused, format!("there is no user {named}"))
            .next("`gantry users list` shows those there are")
    })
}
