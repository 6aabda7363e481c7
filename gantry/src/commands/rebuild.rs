//! Another guest in place of the one there is.

use serde_json::{Map, Value, json};

use super::{create, following, plan};
use crate::{
    client::Api,
    exit::Outcome,
    output::{self, Output},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    api: Api,
    /// Its name or id.
    container: String,
    /// Another template than it has.
    #[arg(long, short, conflicts_with = "image")]
    template: Option<String>,
    /// A bare OS image in place of a template, as Proxmox names it.
    #[arg(long)]
    image: Option<String>,
    /// Its template as it is now, and not at the version that it was made from.
    #[arg(long, conflicts_with = "image")]
    current: bool,
    /// An answer to a question of the template; may be repeated. Those given to the same template before stay.
    #[arg(long, value_name = "NAME=VALUE")]
    input: Vec<String>,
    /// Take a new root password from GANTRY_ROOT_PASSWORD or standard input; otherwise the one it has stays.
    #[arg(long)]
    root_password: bool,
    /// Back it up before it goes.
    #[arg(long)]
    backup_first: bool,
    /// Only show what would happen.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
    /// Do not follow it.
    #[arg(long, short)]
    detach: bool,
}

pub(crate) async fn run(args: Args, out: Output) -> Outcome {
    let client = args.api.client()?;
    let id = client.container(&args.container).await?;
    let path = format!("/v1/containers/{id}/rebuild");
    if args.dry_run {
        let plan = client.post(&format!("{path}?dry_run=true"), &wish(&args)?).await?;
        return plan::show(&plan, &args.container, out);
    }
    if !args.yes {
        output::confirm(&format!("Destroy what is in {} and make it anew?", args.container), "--yes")?;
    }
    let answer = client.post(&path, &wish(&args)?).await?;
    if let Some(password) = answer["root_password"].as_str() {
        out.say(format!("The root password of {} is  {password}  (it is not shown again)", args.container));
    }
    following::accepted(&client, &answer, &args.container, args.detach, out).await
}

fn wish(args: &Args) -> Outcome<Value> {
    let inputs = args.input.iter().map(|text| create::input(text)).collect::<Outcome<Map<_, _>>>()?;
    let mut wish = json!({
        "template": args.template,
        "image": args.image,
        "version": args.current.then_some("current"),
        "inputs": inputs,
        "backup_first": args.backup_first,
    });
    if args.root_password {
        let password = output::secret_input("GANTRY_ROOT_PASSWORD", "the root password")?;
        wish["root_password"] = json!(password.expose());
    }
    Ok(wish)
}
