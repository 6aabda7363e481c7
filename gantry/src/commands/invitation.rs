//! Asking people in.

use reqwest::Method;
use serde_json::json;

use super::account::{self, word};
use super::following;
use crate::{
    client::Api,
    exit::{Exit, Outcome},
    output::Output,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Invite {
    #[command(flatten)]
    api: Api,
    /// Their e-mail address.
    email: String,
    /// Into this account, by its name or id; yours when not said.
    #[arg(long, value_name = "ACCOUNT")]
    to: Option<String>,
    /// What they are there: viewer, member, operator or admin.
    #[arg(long, default_value = "member")]
    role: String,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Invitations {
    /// Who was asked in and has not answered yet.
    #[command(visible_alias = "ls")]
    List {
        #[command(flatten)]
        api: Api,
    },
    /// Takes an invitation back.
    Withdraw {
        #[command(flatten)]
        api: Api,
        /// The invitation's id, as the list shows it.
        id: String,
    },
}

pub(crate) async fn invite(args: Invite, out: Output) -> Outcome {
    let mut client = args.api.client()?;
    if let Some(name) = &args.to {
        client.account = Some(account::find(&client, name).await?);
    }
    let answer = client.post("/v1/invitations", &json!({ "email": args.email, "role": args.role })).await?;
    out.answer(&answer, || {
        format!(
            "{} is asked in. The link is good for one use, within a week, and shown only now:\n\n  {}\n\nThey come in with: \
             GANTRY_INVITATION=… gantry join {}",
            args.email,
            word(&answer, "link"),
            args.email
        )
    });
    Ok(Exit::Done)
}

impl Invitations {
    pub(crate) async fn run(self, out: Output) -> Outcome {
        match self {
            Self::List { api } => {
                let answer = api.client()?.get("/v1/invitations", &[]).await?;
                let items = answer["items"].as_array().cloned().unwrap_or_default();
                out.answer(&following::items(&items, false), || {
                    let mut table = out.table(["e-mail", "role", "account", "until", "id"]);
                    for one in &items {
                        let cells = ["email", "role", "account", "until", "id"].map(|field| (word(one, field), None));
                        table.row(cells);
                    }
                    table.or_else("Nobody was asked in. `gantry invite` does that.")
                });
                Ok(Exit::Done)
            }
            Self::Withdraw { api, id } => {
                api.client()?.ask(Method::DELETE, &format!("/v1/invitations/{id}"), &[], None).await?;
                out.answer(&json!({ "withdrawn": id }), || "It opens nothing any more.".to_owned());
                Ok(Exit::Done)
            }
        }
    }
}
