//! Signing in as a person, and where one is signed in.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    client::{Api, Client, Context, Contexts, Tokens, contexts, read},
    exit::{Exit, Failure, Outcome},
    output::{self, Colour, Output},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Login {
    #[command(flatten)]
    api: Api,
    /// Your login. The password comes from GANTRY_PASSWORD or standard input.
    login: String,
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
    let link = match args.set_password {
        true => Some(output::secret_input("GANTRY_PASSWORD_LINK", "the link")?),
        false => None,
    };
    let password = output::secret_input("GANTRY_PASSWORD", "the password")?;
    let answer = match link {
        Some(link) => {
            client.post("/v1/password", &json!({ "link": link.expose(), "password": password.expose() })).await
        }
        None => client.post("/v1/session", &json!({ "login": args.login, "password": password.expose() })).await,
    }?;
    let tokens: Tokens = read(&answer)?;
    let _lock = contexts::lock()?;
    let mut all = Contexts::read()?;
    let context = Context {
        url: url.clone(),
        login: args.login.clone(),
        account: args.account,
        access_token: tokens.access_token,
        refresh_token: tokens.refresh_token,
    };
    all.contexts.insert(args.context.clone(), context);
    all.current = Some(args.context.clone());
    all.write()?;
    out.answer(&json!({ "context": args.context, "url": url, "user": answer["user"] }), || {
        format!("You are signed in at {url} as {}. `gantry logout` ends it.", args.login)
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
