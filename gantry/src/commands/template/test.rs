//! A template tried out: a throw-away container, its scripts run for real, and a second time to see that they change
//! nothing then.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use domain::ContainerId;
use domain::template::{Input, InputKind, Template};
use serde_json::{Map, Value, json};
use uuid::Uuid;
use worker::Tools;

use super::changes::changes;
use crate::{
    client::{Client, read, shape},
    commands::to_the_end,
    exit::{Exit, Failure, Outcome, While as _},
    output::{Colour, Output},
    process::Parts,
    settings::From,
    signals,
    stage::{Cluster, Hosted, Stage},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Directories of templates, or names below infra/lxc/templates.
    #[arg(required = true)]
    template: Vec<String>,
    /// An answer to a question of the template; may be repeated. What has no default is answered for the test.
    #[arg(long, value_name = "NAME=VALUE")]
    input: Vec<String>,
    /// On a Proxmox host instead of the simulator: one that this machine's Gantry has, by its name there.
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
}

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

pub(super) async fn run(args: Args, from: &From, out: Output) -> Outcome {
    let mut given = Map::new();
    for input in &args.input {
        let (name, value) = input.split_once('=').ok_or_else(|| {
            Failure::new(Exit::Usage, format!("{input:?} is no answer")).next("write it as NAME=VALUE")
        })?;
        given.insert(name.to_owned(), json!(value));
    }
    let directories: Vec<PathBuf> = args.template.iter().map(|named| super::directory(named)).collect();
    let templates = directories.iter().map(|directory| super::read(directory)).collect::<Outcome<Vec<_>>>()?;
    let dir = tempfile::Builder::new().prefix("gantry-template-").tempdir()?;
    let root = dir.path().join("templates");
    for (directory, template) in directories.iter().zip(&templates) {
        copy(directory, &root.join(&template.name))?;
        shared(directory, &root.join(&template.name))?;
    }
    let given = Given { inputs: given, root, templates };
    match &args.host {
        Some(name) => on_host(name, from, dir.path(), &given, out).await,
        None => simulated(dir.path(), &given, out).await,
    }
}

/// What is tried.
struct Given {
    inputs: Map<String, Value>,
    root: PathBuf,
    templates: Vec<Template>,
}

async fn simulated(dir: &Path, given: &Given, out: Output) -> Outcome {
    let cluster = Cluster::start(false, out).await?;
    if cluster.is_dry() {
        cluster.stop().await;
        return Err(Failure::new(Exit::Failed, "this machine can't keep a container's scripts apart from itself")
            .next("test where Linux allows user namespaces"));
    }
    let ended = tokio::select! {
        () = signals::asked_to_end() => Ok(Exit::Cancelled),
        ended = played(dir, given, Hosted::Simulated(&cluster), out) => ended,
    };
    cluster.stop().await;
    ended
}

async fn on_host(name: &str, from: &From, dir: &Path, given: &Given, out: Output) -> Outcome {
    let own = Parts::open(from.of_a_tool()?).await?;
    tokio::select! {
        () = signals::asked_to_end() => {
            out.say(format!("A container test-… may be left on {name}: see there, and remove it."));
            Ok(Exit::Cancelled)
        }
        ended = played(dir, given, Hosted::Known { own: &own, name }, out) => ended,
    }
}

async fn played(dir: &Path, given: &Given, host: Hosted<'_>, out: Output) -> Outcome {
    let stage = Stage::open(dir, &given.root, ANY_PORT, host).await?;
    let (client, tools) = (stage.client().await?, stage.tools.clone());
    let tried = async {
        for template in &given.templates {
            tried(&client, &tools, template, &given.inputs, out).await?;
        }
        Ok(Exit::Done)
    };
    stage.while_it_stands(tried).await
}

/// Makes a container from it, runs it through again, and takes it down whatever came of that.
async fn tried(
    client: &Client,
    tools: &Arc<Tools>,
    template: &Template,
    given: &Map<String, Value>,
    out: Output,
) -> Outcome<()> {
    let hostname: String = format!("test-{}", template.name).chars().take(63).collect();
    let mut inputs: Map<String, Value> = template.settings.inputs.iter().filter_map(answer).collect();
    inputs.extend(given.clone());
    out.say(format!("{} {}", out.paint(Colour::Strong, "template"), template.name));
    let wish = json!({ "hostname": hostname, "template": template.name, "inputs": inputs });
    let made = followed(client, &client.post("/v1/containers", &wish).await?, &hostname, out).await;
    made.map_err(|failure| failure.next("the lines above tell what the scripts said"))?;
    let id = client.container(&hostname).await?;
    let again = again(client, tools, id, &hostname, out).await;
    let removed = client.delete(&format!("/v1/containers/{id}"), &[]).await?;
    followed(client, &removed, &hostname, out).await?;
    again?;
    out.say(format!(
        "{} {} does what it says, and the second time nothing\n",
        out.paint(Colour::Good, "✓"),
        template.name
    ));
    Ok(())
}

/// The second run must change nothing.
async fn again(client: &Client, tools: &Arc<Tools>, id: Uuid, hostname: &str, out: Output) -> Outcome<()> {
    let container = ContainerId::new(id);
    let before = worker::inventory(tools, container).await.during("looking into the container")?;
    out.say("Once more, with the same:");
    followed(client, &client.act(&format!("/v1/containers/{id}/actions/apply"), &[]).await?, hostname, out).await?;
    let after = worker::inventory(tools, container).await.during("looking into the container")?;
    let changed = changes(&before, &after);
    if changed.is_empty() {
        return Ok(());
    }
    let what = format!("the second run changed what the first had made:\n  {}", changed.join("\n  "));
    Err(Failure::new(Exit::Failed, what).next("let scripts look before they write: `[ -e … ] || …`"))
}

async fn followed(client: &Client, accepted: &Value, title: &str, out: Output) -> Outcome<()> {
    let operation: shape::Operation = read(accepted)?;
    match to_the_end(client, operation.id, title, 0, out).await? {
        Exit::Done => Ok(()),
        exit => Err(Failure::new(exit, format!("{title} did not come to its end"))),
    }
}

/// Something allowed, for what nobody answered.
fn answer(input: &Input) -> Option<(String, Value)> {
    if input.default.is_some() {
        return None;
    }
    let answer = match &input.kind {
        InputKind::String { .. } => "test".to_owned(),
        InputKind::Integer { min, .. } => min.to_string(),
        InputKind::Boolean => "true".to_owned(),
        InputKind::Choice { choices } => choices.first()?.clone(),
        InputKind::Secret => "a-secret-of-the-test".to_owned(),
    };
    Some((input.name.clone(), json!(answer)))
}

/// The lists that it shares with others come along.
fn shared(from: &Path, to: &Path) -> Outcome<()> {
    let files = platform::catalogue::template_files(from);
    let files = files.map_err(|finding| Failure::new(Exit::Failed, finding.to_string()))?;
    for (path, content) in files.iter().filter(|(path, _)| path.starts_with("buckets/")) {
        let target = to.join(path);
        target.parent().map(std::fs::create_dir_all).transpose()?;
        std::fs::write(&target, content).during(format!("writing {}", target.display()))?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Outcome<()> {
    std::fs::create_dir_all(to).during(format!("making {}", to.display()))?;
    for entry in std::fs::read_dir(from).during(format!("reading {}", from.display()))?.flatten() {
        let target = to.join(entry.file_name());
        // Links stay what they are: the reader decides on them.
        match entry.file_type()? {
            kind if kind.is_dir() => copy(&entry.path(), &target)?,
            kind if kind.is_symlink() => std::os::unix::fs::symlink(std::fs::read_link(entry.path())?, &target)?,
            _ => drop(std::fs::copy(entry.path(), &target)?),
        }
    }
    Ok(())
}
