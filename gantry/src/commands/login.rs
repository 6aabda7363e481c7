//! Signing in as a person, and where one is signed in.

use reqwest::Method;
use serde_json::{Value, json};

use super::by_provider;
use crate::{
    client::{Api, Client, Context, Contexts, Tokens, contexts, read},
    exit::{Exit, Failure, Outcome},
    output::{self, Colour, Output},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Login {
    #[command(flatten)]
    api: Api,
    /// Your login. The password comes from GANTRY_PASSWORD or standard input, the code of a second factor from GANTRY_CODE or there.
    login: String,
    /// Say who you are to the provider that people sign in by here, in a browser on this machine.
    #[arg(long, conflicts_with = "set_password")]
    oidc: bool,
    /// Set your password first, with the link that an administrator gave you: it comes from GANTRY_PASSWORD_LINK.
    #[arg(long)]
    set_password: bool,
    /// What this sign-in is called, to tell it from others.
    #[arg(long, default_value = "default")]
    context: String,
    /// For which account you ask, by its id, when you are a member of several.
    #[arg(long, value_name = "ID")]
    account: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Logout {
    /// All of your sessions, on every machine.
    #[arg(long)]
    everywhere: bool,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Contextual {
    /// Where you are signed in.
    #[command(visible_alias = "ls")]
    List,
    /// Which one commands use.
    Use { name: String },
    /// Forgets one; `gantry logout` also ends its session.
    Remove { name: String },
}

pub(crate) async fn login(args: Login, out: Output) -> Outcome {
    let url = args.api.address();
    let client = Client::new(&url, String::new())?;
    if args.oidc {
        let answer = by_provider::sign_in(&client, out).await?;
        return keep(&args.context, &url, &args.login, args.account, &answer, out);
    }
    let link = match args.set_password {
        true => Some(output::secret_input("GANTRY_PASSWORD_LINK", "the link")?),
        false => None,
    };
    let password = output::secret_input("GANTRY_PASSWORD", "the password")?;
    let (path, mut wish) = match link {
        Some(link) => ("/v1/password", json!({ "link": link.expose(), "password": password.expose() })),
        None => ("/v1/session", json!({ "login": args.login, "password": password.expose() })),
    };
    let answer = match client.post(path, &wish).await {
        Err(failure) if failure.needs_code() => {
            let code = output::secret_input("GANTRY_CODE", "the code of your second factor")?;
            wish["code"] = json!(code.expose());
            client.post(path, &wish).await?
        }
        answer => answer?,
    };
    keep(&args.context, &url, &args.login, args.account, &answer, out)
}

/// Signed in from now on, as the answer says.
pub(super) fn keep(
    name: &str,
    url: &str,
    login: &str,
    account: Option<String>,
    answer: &Value,
    out: Output,
) -> Outcome {
    let tokens: Tokens = read(answer)?;
    let _lock = contexts::lock()?;
    let mut all = Contexts::read()?;
    let context = Context {
        url: url.to_owned(),
        login: login.to_owned(),
        account,
        access_token: tokens.access_token,
        refresh_token: tokens.refresh_token,
    };
    all.contexts.insert(name.to_owned(), context);
    all.current = Some(name.to_owned());
    all.write()?;
    out.answer(&json!({ "context": name, "url": url, "user": answer["user"] }), || {
        format!("You are signed in at {url} as {login}. `gantry logout` ends it.")
    });
    Ok(Exit::Done)
}

pub(crate) async fn logout(args: Logout, out: Output) -> Outcome {
    let all = Contexts::read()?;
    let (name, context) = all.current().ok_or_else(nowhere)?;
    let client = Client::in_context(name, context)?;
    let query: &[(&str, &str)] = if args.everywhere { &[("everywhere", "true")] } else { &[] };
    match client.ask(Method::DELETE, "/v1/session", query, None).await {
        Ok(_) => {}
        // It has ended already.
        Err(failure) if failure.exit == Exit::Refused => {}
        Err(failure) => return Err(failure),
    }
    let name = name.to_owned();
    forget(&name)?;
    out.answer(&json!({ "signed_out": name }), || "You are signed out.".to_owned());
    Ok(Exit::Done)
}

impl Contextual {
    pub(crate) fn run(self, out: Output) -> Outcome {
        match self {
            Self::List => list(out),
            Self::Use { name } => {
                let _lock = contexts::lock()?;
                let mut all = Contexts::read()?;
                if !all.contexts.contains_key(&name) {
                    return Err(Failure::new(Exit::Usage, format!("there is no context {name}"))
                        .next("`gantry context list` shows those there are"));
                }
                all.current = Some(name.clone());
                all.write()?;
                out.answer(&json!({ "current": name }), || format!("Commands use {name} from now on."));
                Ok(Exit::Done)
            }
            Self::Remove { name } => {
                forget(&name)?;
                out.answer(&json!({ "removed": name }), || format!("{name} is forgotten."));
                Ok(Exit::Done)
            }
        }
    }
}

fn list(out: Output) -> Outcome {
    let all = Contexts::read()?;
    let told = |(name, context): (&String, &Context)| -> Value {
        json!({ "name": name, "url": context.url, "login": context.login, "account": context.account,
                "current": all.current.as_ref() == Some(name) })
    };
    let items: Vec<Value> = all.contexts.iter().map(told).collect();
    out.answer(&json!({ "items": items, "more": false }), || {
        let mut table = out.table(["context", "at", "as"]);
        for (name, context) in &all.contexts {
            let colour = (all.current.as_ref() == Some(name)).then_some(Colour::Good);
            table.row([(name.clone(), colour), (context.url.clone(), None), (context.login.clone(), None)]);
        }
        table.or_else("You are signed in nowhere. `gantry login` does that.")
    });
    Ok(Exit::Done)
}

fn forget(name: &str) -> Outcome<()> {
    let _lock = contexts::lock()?;
    let mut all = Contexts::read()?;
    all.contexts.remove(name);
    if all.current.as_deref() == Some(name) {
        all.current = None;
    }
    all.write()
}

fn nowhere() -> Failure {
    Failure::new(Exit::Usage, "you are signed in nowhere").next("`gantry login` does that")
}
