//! Making a guest that is there ours, and giving one back: by the marker on it alone, nothing in it is touched.

use domain::container::{Container, ContainerCommand, marker};
use domain::operation::{Command, Failure, FailureKind};
use domain::vmid::{VmidCommand, VmidLease, VmidOfHost};
use domain::{Aggregate as _, Event as _};
use futures_util::future::BoxFuture;
use platform::log::StreamAppend;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::change_guest::{Values, put_at};
use crate::context::Context;
use crate::drift::why;
use crate::failure::proxmox_failure;
use crate::found::{self, bearer};
use crate::step::{Done, Step, StepError};

pub(super) struct MarkGuest;
pub(super) struct UnmarkGuest;

#[derive(Serialize, Deserialize)]
struct Both {
    before: Values,
    after: Values,
}

struct Place<'a> {
    id: VmidOfHost,
    node: &'a str,
}

fn place(context: &Context) -> Result<Place<'_>, StepError> {
    match context.operation.accepted().map(|accepted| &accepted.command) {
        Some(Command::AdoptGuest { host, node, vmid, .. }) => {
            Ok(Place { id: VmidOfHost { host: *host, vmid: *vmid }, node })
        }
        _ => Err(StepError::internal("the command names no guest")),
    }
}

impl Step for MarkGuest {
    fn intend<'a>(&'a self, context: &'a Context, before: Option<&'a Value>) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async move {
            let Place { id, node } = place(context)?;
            let lease = context.tools.log.load::<VmidLease>(id).await.map_err(StepError::internal)?;
            if lease.state.holder().is_some_and(|holder| holder != context.container_id) {
                return Err(owned("another container has it leased"));
            }
            let leasing = VmidCommand::Lease { container: context.container_id, operation: context.id };
            let said = context.say::<VmidLease>(id, &lease, leasing, &())?;
            let before = before.and_then(|before| serde_json::from_value::<Both>(before.clone()).ok());
            let both = match before {
                // What was there before is chosen once: a look after our own request would see ours.
                Some(before) if lease.state.holder().is_some() => before,
                _ => look(context, id, node).await?,
            };
            let mut done = Done::with(&both)?;
            done.streams.extend(said);
            Ok(done)
        })
    }

    fn act<'a>(&'a self, context: &'a Context, intent: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let Place { id, node } = place(context)?;
            let both: Both = serde_json::from_value(intent.clone()).map_err(StepError::internal)?;
            let host = context.tools.hosts.get(id.host).await?;
            put_at(&host, node, id.vmid.get(), |_, _| true, &both.after).await?;
            let guest = host.client.lxc(node, id.vmid.get());
            let runs = guest.status().await.map_err(proxmox_failure)?.is_running();
            let mut learned = Vec::new();
            if runs {
                // Those that it has by now; a guest without any is as much ours.
                let interfaces = guest.interfaces().await.unwrap_or_default();
                let all = interfaces.iter().filter(|interface| interface.name != "lo").flat_map(|one| &one.addresses);
                learned = all
                    .map(|one| one.address)
                    .filter(|address| super::is_usable(*address))
                    .map(|one| one.to_string())
                    .collect();
            }
            let mut done = Done::with(&json!({ "node": node, "vmid": id.vmid }))?;
            let command = ContainerCommand::RecordGuest { host: id.host, node: node.to_owned(), vmid: id.vmid };
            let started = runs.then_some([ContainerCommand::RecordStarted, ContainerCommand::LearnAddresses(learned)]);
            done.streams.extend(says(context, std::iter::once(command).chain(started.into_iter().flatten())).await?);
            Ok(done)
        })
    }

    fn undo<'a>(&'a self, context: &'a Context) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let Some(intent) = context.operation.intent(context.step) else { return Ok(Done::nothing()) };
            let Ok(both) = serde_json::from_value::<Both>(intent.clone()) else { return Ok(Done::nothing()) };
            let Place { id, node } = place(context)?;
            let host = context.tools.hosts.get(id.host).await?;
            let ours = |name: &str, now: Option<&str>| {
                both.after.get(name).is_some_and(|set| set.as_deref().map(str::trim) == now.map(str::trim))
            };
            match put_at(&host, node, id.vmid.get(), ours, &both.before).await {
                Err(StepError::Failed { failure, .. }) if failure.slug == "guest-missing" => {}
                other => other?,
            }
            let mut done = Done::nothing();
            let lease = context.tools.log.load::<VmidLease>(id).await.map_err(StepError::internal)?;
            if lease.state.holder() == Some(context.container_id) {
                let release = VmidCommand::Release { container: context.container_id };
                done.streams.extend(context.say::<VmidLease>(id, &lease, release, &())?);
            }
            done.streams.extend(says(context, [ContainerCommand::RecordGuestRemoved]).await?);
            Ok(done)
        })
    }
}

/// What the container says of several things at once.
async fn says(
    context: &Context,
    commands: impl IntoIterator<Item = ContainerCommand>,
) -> Result<Option<StreamAppend>, StepError> {
    let loaded = context.container().await?;
    let (mut state, mut events) = (loaded.state.clone(), Vec::new());
    for command in commands {
        for event in state.decide(command, &()).map_err(StepError::internal)? {
            events.push(event.encode().map_err(StepError::internal)?);
            state = state.evolve(&event);
        }
    }
    let stream = Container::stream(context.container_id);
    Ok((!events.is_empty()).then(|| StreamAppend { stream, expected: loaded.expected(), events }))
}

fn owned(detail: &str) -> StepError {
    StepError::last(Failure::new("guest-owned", "The guest is a container's already", detail))
}

async fn look(context: &Context, id: VmidOfHost, node: &str) -> Result<Both, StepError> {
    let host = context.tools.hosts.get(id.host).await?;
    let config = host.client.lxc(node, id.vmid.get()).config().await.map_err(proxmox_failure)?;
    if let Some(lock) = config.lock() {
        let failure = Failure::new("guest-locked", "Proxmox has it locked", format!("{lock}; it is tried again"));
        return Err(StepError::new(FailureKind::Locked, failure));
    }
    let (tags, text) = (config.get("tags").unwrap_or_default(), config.get("description").unwrap_or_default());
    if let Some(container) = bearer(&config)
        && container != context.container_id
        && why(&context.tools, &host, id.vmid.get(), container).await?.is_none()
    {
        return Err(owned("it bears the marker of a container that is here"));
    }
    let marked: Vec<&str> = std::iter::once(marker::TAG).chain(marker::own_tags(tags)).collect();
    let before = [("tags", config.get("tags")), ("description", config.get("description"))];
    let line = marker(context.container_id);
    let after = format!("{}\n\n{line}\n", marker::without(text)).trim_start().to_owned();
    Ok(Both {
        before: before.into_iter().map(|(name, value)| (name.to_owned(), value.map(str::to_owned))).collect(),
        after: Values::from([("tags".to_owned(), Some(marked.join(";"))), ("description".to_owned(), Some(after))]),
    })
}

impl Step for UnmarkGuest {
    /// One that is gone, or bears another's marker, is given back already.
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let Some(guest) = context.container().await?.state.guest() else { return Ok(Done::nothing()) };
            let host = context.tools.hosts.get(guest.host).await?;
            let Some(config) = found::config(&host, &guest.node, guest.vmid.get()).await? else {
                return Ok(Done::nothing());
            };
            if bearer(&config) == Some(context.container_id) {
                let (tags, text) =
                    (config.get("tags").unwrap_or_default(), config.get("description").unwrap_or_default());
                let others: Vec<&str> = marker::own_tags(tags).collect();
                let own = marker::without(text);
                let wanted = Values::from([
                    ("tags".to_owned(), Some(others.join(";")).filter(|tags| !tags.is_empty())),
                    ("description".to_owned(), Some(own).filter(|text| !text.is_empty())),
                ]);
                put_at(&host, &guest.node, guest.vmid.get(), |_, _| true, &wanted).await?;
            }
            Done::with(&json!({ "node": guest.node, "vmid": guest.vmid }))
        })
    }
}
