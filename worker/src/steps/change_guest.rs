//! Size, name, tags, description, start on boot: what of the guest's configuration is to be another, in one request that
//! overwrites nobody's change.

use std::collections::BTreeMap;

use domain::ContainerId;
use domain::container::{Change, Container, ContainerCommand, ContainerSpec, marker};
use domain::operation::{Command, Failure, StepState};
use domain::pipeline::StepName;
use futures_util::future::BoxFuture;
use proxmox::{Error, LxcChange, LxcConfig};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::create_guest::{description, network};
use super::making::tags;
use crate::card;
use crate::context::Context;
use crate::failure::proxmox_failure;
use crate::hosts::Host;
use crate::step::{Done, Step, StepError};

pub(super) struct ChangeGuest;
pub(super) struct RecordChange;

/// By the names that Proxmox gives them; none: it is not there.
pub(super) type Values = BTreeMap<String, Option<String>>;

/// What was there before, and what we set.
#[derive(Debug, Serialize, Deserialize)]
struct Both {
    before: Values,
    after: Values,
}

impl Step for ChangeGuest {
    /// What was there before is chosen once: a look after our own request would see ours.
    fn intend<'a>(&'a self, context: &'a Context, before: Option<&'a Value>) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async move {
            let run = context.operation.step(StepName::ChangeGuest);
            let under_way = run.is_some_and(|run| matches!(run.state, StepState::Started | StepState::Failed));
            if let Some(before) = before.filter(|_| under_way) {
                return Done::with(before);
            }
            let (host, place) = (context.host().await?, context.place().await?);
            let config = host.client.lxc(&place.node, place.vmid.get()).config().await.map_err(proxmox_failure)?;
            let after = wanted(context, &config).await?;
            let before = after.keys().map(|name| (name.clone(), config.get(name).map(str::to_owned))).collect();
            Done::with(&Both { before, after })
        })
    }

    fn act<'a>(&'a self, context: &'a Context, intent: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let both: Both = serde_json::from_value(intent.clone()).map_err(StepError::internal)?;
            put(context, |_, _| true, &both.after).await?;
            Ok(Done::nothing())
        })
    }

    /// What somebody else has set since then stays.
    fn undo<'a>(&'a self, context: &'a Context) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let Some(intent) = context.operation.intent(StepName::ChangeGuest) else { return Ok(Done::nothing()) };
            let both: Both = serde_json::from_value(intent.clone()).map_err(StepError::internal)?;
            let ours =
                |name: &str, now: Option<&str>| both.after.get(name).is_some_and(|set| same(name, set.as_deref(), now));
            match put(context, ours, &both.before).await {
                Err(StepError::Failed { failure, .. }) if failure.slug == "guest-missing" => Ok(Done::nothing()),
                other => other.map(|()| Done::nothing()),
            }
        })
    }
}

impl Step for RecordChange {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let container = context.container().await?;
            let said =
                context.say::<Container>(context.container_id, container, ContainerCommand::RecordChange, &())?;
            let mut done = Done::with(change(context)?)?;
            done.streams.extend(said);
            Ok(done)
        })
    }
}

pub(super) fn change(context: &Context) -> Result<&Change, StepError> {
    let command = context.operation.accepted().and_then(|accepted| accepted.command.sets());
    command.ok_or_else(|| StepError::internal("the command changes nothing"))
}

/// What the change asks for, as Proxmox has it.
async fn wanted(context: &Context, config: &LxcConfig) -> Result<Values, StepError> {
    let change = change(context)?;
    let spec = change.of(context.spec().await?);
    let mut values = said(context.container_id, &spec, &change.fields(), config);
    if let Some(Command::PutBack { marker: true, .. }) = context.operation.accepted().map(|accepted| &accepted.command)
    {
        let mut put = |name: &str, value: Option<String>| values.insert(name.to_owned(), value);
        put("tags", Some(tags(&spec.tags).join(";")));
        // What somebody wrote there in its place stays.
        let text = config.get("description").unwrap_or_default().trim();
        let marker = marker(context.container_id);
        put(
            "description",
            Some(if text.lines().any(|line| line.trim() == marker) {
                text.to_owned()
            } else {
                format!("{text}\n\n{marker}\n").trim_start().to_owned()
            }),
        );
    }
    Ok(values)
}

/// Fields of a container, as Proxmox says them.
pub(super) fn said(id: ContainerId, spec: &ContainerSpec, fields: &[&str], config: &LxcConfig) -> Values {
    let mut values = Values::new();
    let mut put = |name: &str, value: Option<String>| values.insert(name.to_owned(), value);
    for field in fields {
        match *field {
            "cores" => put("cores", Some(spec.cores.to_string())),
            "memory_mb" => put("memory", Some(spec.memory_mb.to_string())),
            "swap_mb" => put("swap", Some(spec.swap_mb.to_string())),
            "tags" => put("tags", Some(tags(&spec.tags).join(";"))),
            "start_on_boot" => put("onboot", Some(u8::from(spec.start_on_boot).to_string())),
            "description" => put("description", Some(description(id, spec))),
            "hostname" => {
                put("hostname", Some(spec.hostname.clone()));
                put("description", Some(description(id, spec)))
            }
            "network" => {
                let servers = spec.network.nameservers.join(" ");
                put("nameserver", Some(servers).filter(|servers| !servers.is_empty()));
                put("searchdomain", spec.network.domain.clone());
                put("net0", Some(card::with_wanted(config.get("net0"), &network(&spec.network))))
            }
            "features" => put("features", card::with_features(config.get("features"), spec.features)),
            // The disk has a step of its own.
            _ => None,
        };
    }
    values
}

/// Sets what is not so yet, of those that the configuration as it is says may be set.
pub(super) async fn put(
    context: &Context,
    may: impl Fn(&str, Option<&str>) -> bool,
    values: &Values,
) -> Result<(), StepError> {
    let (host, place) = (context.host().await?, context.place().await?);
    put_at(&host, &place.node, place.vmid.get(), may, values).await
}

pub(super) async fn put_at(
    host: &Host,
    node: &str,
    vmid: u32,
    may: impl Fn(&str, Option<&str>) -> bool,
    values: &Values,
) -> Result<(), StepError> {
    let guest = host.client.lxc(node, vmid);
    let config = guest.config().await.map_err(proxmox_failure)?;
    let mut change = LxcChange { digest: config.digest().map(str::to_owned), ..LxcChange::default() };
    let mut any = false;
    for (name, value) in values {
        let now = config.get(name);
        if same(name, value.as_deref(), now) || !may(name, now) {
            continue;
        }
        any = true;
        match value {
            Some(value) => set(&mut change, name, value)?,
            None => change.delete.push(name.clone()),
        }
    }
    if !any {
        return Ok(());
    }
    match guest.configure(&change).await {
        Err(Error::Conflict(_)) => Err(StepError::Again),
        asked => asked.map_err(proxmox_failure),
    }
}

fn set(change: &mut LxcChange, name: &str, value: &str) -> Result<(), StepError> {
    let number = || value.trim().parse::<u32>().map_err(|_| unreadable(name, value));
    match name {
        "cores" => change.cores = Some(number()?),
        "memory" => change.memory = Some(number()?.into()),
        "swap" => change.swap = Some(number()?.into()),
        "onboot" => change.onboot = Some(number()? != 0),
        "hostname" => change.hostname = Some(value.to_owned()),
        "description" => change.description = Some(value.to_owned()),
        "net0" => drop(change.networks.insert(0, value.to_owned())),
        "features" => change.features = Some(value.to_owned()),
        "nameserver" => change.nameserver = Some(value.to_owned()),
        "searchdomain" => change.searchdomain = Some(value.to_owned()),
        "tags" => change.tags = Some(value.split(';').map(str::to_owned).collect()),
        other => return Err(unreadable(other, value)),
    }
    Ok(())
}

fn unreadable(name: &str, value: &str) -> StepError {
    let detail = format!("Proxmox has {name} = {value:?}, which Gantry can't put back; set it there, then retry");
    StepError::last(Failure::new("setting-unreadable", "A setting is not what it should be", detail))
}

/// Proxmox puts a newline after a description, and the parts of a list in an order of its own.
fn same(name: &str, one: Option<&str>, other: Option<&str>) -> bool {
    match (name, one, other) {
        ("net0" | "features", Some(one), Some(other)) => card::is_same_list(one, other),
        _ => one.map(str::trim) == other.map(str::trim),
    }
}
