//! One's second factor.

use reqwest::Method;
use serde_json::json;

use super::account::word;
use super::user;
use crate::{
    client::Api,
    exit::{Exit, Outcome},
    output::{self, Output},
};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Totp {
    /// Whether you have one, and how many codes for its loss are left.
    Show {
        #[command(flatten)]
        api: Api,
    },
    /// Begins to use one: prints what your app wants. The password comes from GANTRY_PASSWORD or standard input.
    Begin {
        #[command(flatten)]
        api: Api,
    },
    /// Confirms it with a code of your app (GANTRY_CODE or standard input), and prints the codes for its loss, once.
    Confirm {
        #[command(flatten)]
        api: Api,
    },
    /// Stops using it. The password comes from GANTRY_PASSWORD or standard input.
    Disable {
        #[command(flatten)]
        api: Api,
    },
    /// Takes it away from a user who lost it.
    Take {
        #[command(flatten)]
        api: Api,
        /// The user's login or id.
        user: String,
    },
}

const PLACE: &str = "/v1/me/totp";

impl Totp {
    pub(crate) async fn run(self, out: Output) -> Outcome {
        match self {
            Self::Show { api } => {
                let told = api.client()?.get(PLACE, &[]).await?;
                out.answer(&told, || match told["enabled"] == true {
                    true => format!("In force; {} recovery codes are left.", told["recovery_codes_left"]),
                    false => "You have none. `gantry totp begin` begins.".to_owned(),
                });
            }
            Self::Begin { api } => {
                let password = output::secret_input("GANTRY_PASSWORD", "your password")?;
                let told = api.client()?.post(PLACE, &json!({ "password": password.expose() })).await?;
                out.answer(&told, || {
                    format!(
                        "Give this to your app, then `gantry totp confirm`:\n\n  {}\n\nor by hand: {}",
                        word(&told, "uri"),
                        word(&told, "secret")
                    )
                });
            }
            Self::Confirm { api } => {
                let code = output::secret_input("GANTRY_CODE", "the code that the app shows")?;
                let told = api.client()?.post(&format!("{PLACE}/confirm"), &json!({ "code": code.expose() })).await?;
                let codes = told["recovery_codes"].as_array().into_iter().flatten().filter_map(|one| one.as_str());
                out.answer(&told, || {
                    let codes: String = codes.map(|code| format!("  {code}\n")).collect();
                    format!("In force. Each of these is good once when you lose the app; they are shown only now:\n\n{codes}")
                });
            }
            Self::Disable { api } => {
                let password = output::secret_input("GANTRY_PASSWORD", "your password")?;
                let wish = json!({ "password": password.expose() });
                api.client()?.ask(Method::POST, &format!("{PLACE}/disable"), &[], Some(&wish)).await?;
                out.answer(&json!({ "enabled": false }), || "It is not asked for any more.".to_owned());
            }
            Self::Take { api, user } => {
                let client = api.client()?;
                let id = user::find(&client, &user).await?;
                client.ask(Method::DELETE, &format!("/v1/users/{id}/totp"), &[], None).await?;
                out.answer(&json!({ "user": id, "enabled": false }), || format!("{user} signs in without it."));
            }
        }
        Ok(Exit::Done)
    }
}
