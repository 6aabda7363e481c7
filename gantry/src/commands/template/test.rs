//! A template tried out: a throw-away container on a simulated host, its scripts run for real.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use domain::template::{Input, InputKind, Template};
use serde_json::{Map, Value, json};

use crate::{
    client::{read, shape},
    commands::to_the_end,
    exit::{Exit, Failure, Outcome, While as _},
    output::{Colour, Output},
    signals,
    stage::{Cluster, Stage},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Directories of templates, or names below infra/lxc/templates.
    #[arg(required = true)]
    template: Vec<String>,
    /// An answer to a question of the template; may be repeated. What has no default is answered for the test.
    #[arg(long, value_name = "NAME=VALUE")]
    input: Vec<String>,
}

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

pub(super) async fn run(args: Args, out: Output) -> Outcome {
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
    let cluster = Cluster::start(false, out).await?;
    if cluster.is_dry() {
        cluster.stop().await;
        return Err(Failure::new(Exit::Failed, "this machine can't keep a container's scripts apart from itself")
            .next("test where Linux allows user namespaces"));
    }
    let played = async {
        let stage = Stage::open(dir.path(), &root, ANY_PORT, &cluster).await?;
        let client = stage.client().await?;
        stage
            .while_it_stands(async {
                for template in &templates {
                    tried(&client, template, &given, out).await?;
                }
                Ok(Exit::Done)
            })
            .await
    };
    let ended = tokio::select! {
        () = signals::asked_to_end() => Ok(Exit::Cancelled),
        ended = played => ended,
    };
    cluster.stop().await;
    ended
}

/// Makes a container from it, and takes it down again.
async fn tried(
    client: &crate::client::Client,
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
    let removed = client.delete(&format!("/v1/containers/{id}"), &[]).await?;
    followed(client, &removed, &hostname, out).await?;
    out.say(format!("{} {} does what it says\n", out.paint(Colour::Good, "✓"), template.name));
    Ok(())
}

async fn followed(client: &crate::client::Client, accepted: &Value, title: &str, out: Output) -> Outcome<()> {
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
