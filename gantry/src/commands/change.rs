//! Making a container different: its size, its name and what it is known by, root's password.

use serde_json::{Map, Value, json};

use super::{following, plan};
use crate::{
    client::Api,
    exit::{Exit, Failure, Outcome},
    output::{self, Output},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Of {
    #[command(flatten)]
    api: Api,
    /// Its name or id.
    container: String,
    /// Do not follow it.
    #[arg(long, short)]
    detach: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Resize {
    #[command(flatten)]
    of: Of,
    /// How many of the CPU.
    #[arg(long)]
    cores: Option<u32>,
    /// In MB.
    #[arg(long, value_name = "MB")]
    memory: Option<u32>,
    /// In MB.
    #[arg(long, value_name = "MB")]
    swap: Option<u32>,
    /// In GB; disks only grow.
    #[arg(long, value_name = "GB")]
    disk: Option<u32>,
    /// Only show what would happen.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Change {
    #[command(flatten)]
    of: Of,
    /// A new host name; the container knows it after its next start.
    #[arg(long, value_name = "NAME")]
    rename: Option<String>,
    /// A tag in Proxmox; may be repeated. Those that are not named are taken off.
    #[arg(long, value_name = "NAME")]
    tag: Vec<String>,
    /// Take all tags off.
    #[arg(long, conflicts_with = "tag")]
    no_tags: bool,
    /// What is to be read beside it; empty takes it away.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Whether it starts with its node.
    #[arg(long, value_name = "BOOL")]
    start_on_boot: Option<bool>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Password {
    #[command(flatten)]
    of: Of,
    /// Make one and show it, in place of taking it from GANTRY_ROOT_PASSWORD or standard input.
    #[arg(long)]
    generate: bool,
}

pub(crate) async fn resize(args: Resize, out: Output) -> Outcome {
    let wish = given([
        ("cores", json!(args.cores)),
        ("memory_mb", json!(args.memory)),
        ("swap_mb", json!(args.swap)),
        ("disk_gb", json!(args.disk)),
    ]);
    let wish = something(wish, "--cores, --memory, --swap, --disk")?;
    let client = args.of.api.client()?;
    let id = client.container(&args.of.container).await?;
    let path = format!("/v1/containers/{id}/actions/resize");
    if args.dry_run {
        return plan::show(&client.post(&format!("{path}?dry_run=true"), &wish).await?, &args.of.container, out);
    }
    let answer = client.post(&path, &wish).await?;
    following::accepted(&client, &answer, &args.of.container, args.of.detach, out).await
}

pub(crate) async fn change(args: Change, out: Output) -> Outcome {
    let tags = (args.no_tags || !args.tag.is_empty()).then_some(args.tag);
    let wish = given([
        ("hostname", json!(args.rename)),
        ("tags", json!(tags)),
        ("description", json!(args.description)),
        ("start_on_boot", json!(args.start_on_boot)),
    ]);
    let wish = something(wish, "--rename, --tag, --no-tags, --description, --start-on-boot")?;
    let client = args.of.api.client()?;
    let id = client.container(&args.of.container).await?;
    let answer = client.patch(&format!("/v1/containers/{id}"), &wish).await?;
    following::accepted(&client, &answer, &args.of.container, args.of.detach, out).await
}

pub(crate) async fn password(args: Password, out: Output) -> Outcome {
    let mut wish = Map::new();
    if !args.generate {
        let password = output::secret_input("GANTRY_ROOT_PASSWORD", "the root password")?;
        wish.insert("root_password".into(), json!(password.expose()));
    }
    let client = args.of.api.client()?;
    let id = client.container(&args.of.container).await?;
    let answer = client.put(&format!("/v1/containers/{id}/root-password"), &Value::Object(wish)).await?;
    if let Some(password) = answer["root_password"].as_str() {
        out.say(format!("The root password of {} is  {password}  (it is not shown again)", args.of.container));
    }
    following::accepted(&client, &answer, &args.of.container, args.of.detach, out).await
}

fn given<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.to_owned(), value)).collect()
}

fn something(wish: Map<String, Value>, choices: &str) -> Outcome<Value> {
    if wish.is_empty() {
        return Err(Failure::new(Exit::Usage, "nothing is to be different").next(format!("give one of {choices}")));
    }
    Ok(Value::Object(wish))
}
