//! Coming in: as the first administrator of all, by an invitation, by asking for a login, with a forgotten password.

use platform::vault::SecretText;
use serde_json::{Value, json};

use super::login;
use crate::{
    client::{Api, Client},
    exit::{Exit, Outcome},
    output::{self, Output},
};

#[derive(Debug, clap::Args)]
pub(crate) struct SetUp {
    #[command(flatten)]
    of: Coming,
    /// Your e-mail address, or a name to sign in with.
    login: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Join {
    #[command(flatten)]
    of: Coming,
    /// The e-mail address that the invitation went to.
    login: String,
}

#[derive(Debug, clap::Args)]
struct Coming {
    #[command(flatten)]
    api: Api,
    /// How you want to be called.
    #[arg(long)]
    name: Option<String>,
    /// What this sign-in is called, to tell it from others.
    #[arg(long, default_value = "default")]
    context: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Asking {
    #[command(flatten)]
    api: Api,
    /// Your e-mail address.
    email: String,
}

pub(crate) async fn set_up(args: SetUp, out: Output) -> Outcome {
    let link = link("GANTRY_SETUP_LINK", "the link that the first start printed")?;
    let more = json!({ "link": link.expose(), "login": args.login });
    args.of.come("/v1/setup", more, &args.login, out).await
}

pub(crate) async fn join(args: Join, out: Output) -> Outcome {
    let link = link("GANTRY_INVITATION", "the invitation")?;
    args.of.come("/v1/invitations/accept", json!({ "invitation": link.expose() }), &args.login, out).await
}

pub(crate) async fn register(args: Asking, out: Output) -> Outcome {
    ask(&args, "/v1/registrations", out).await
}

pub(crate) async fn reset_password(args: Asking, out: Output) -> Outcome {
    ask(&args, "/v1/password/reset", out).await
}

async fn ask(args: &Asking, path: &str, out: Output) -> Outcome {
    let client = Client::new(&args.api.address(), String::new())?;
    client.ask(reqwest::Method::POST, path, &[], Some(&json!({ "email": args.email }))).await?;
    out.answer(&json!({ "asked": true }), || format!("A letter to {} tells how to go on.", args.email));
    Ok(Exit::Done)
}

impl Coming {
    async fn come(self, path: &str, mut wish: Value, login: &str, out: Output) -> Outcome {
        let url = self.api.address();
        let client = Client::new(&url, String::new())?;
        let password = output::secret_input("GANTRY_PASSWORD", "the password that you want")?;
        wish["password"] = json!(password.expose());
        if let Some(name) = self.name {
            wish["name"] = json!(name);
        }
        let answer = client.post(path, &wish).await?;
        login::keep(&self.context, &url, login, None, &answer, out)
    }
}

/// What opens it, also from the whole address of its page.
fn link(variable: &str, what: &str) -> Outcome<SecretText> {
    let text = output::secret_input(variable, what)?;
    let link = text.expose().rsplit('#').next().unwrap_or_default().to_owned();
    Ok(link.into())
}
