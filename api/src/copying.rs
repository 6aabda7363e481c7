//! Accepting the wish for a container that is made from another one, or from one's backup.

use domain::container::{Container, ContainerCommand, ContainerSpec, Ipv4, Ipv6, Lifecycle, Network, Request, Where};
use domain::copy::{check_snapshot_name, file};
use domain::operation::Command;
use domain::{Aggregate as _, ContainerId, OperationId};
use platform::log::{Append, Expected, Loaded};
use platform::views::addresses;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::accept::{Accepting, Refusal, Taken, busy, is_repeated};
use crate::app::App;
use crate::asking::Asking;
use crate::body::Body;
use crate::in_use;
use crate::paging::wrong;
use crate::problem::{FieldProblem, Kind, Problem};
use crate::unread::unread;
use crate::wish::{NetworkWish, renamed};

/// What is to be other than in the original. All else is as it was asked for there.
#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "hostname": "web2" }))]
pub(crate) struct CopyContainer {
    /// 1 to 63 letters, digits and hyphens; unique among the containers that are there.
    #[schema(value_type = String, example = "web2", min_length = 1, max_length = 63)]
    hostname: Option<String>,
    /// As the original's when left out. One with a fixed address can't have it twice.
    network: Option<NetworkWish>,
    tags: Option<Vec<String>>,
    start_on_boot: Option<bool>,
    /// Clones: a copy of its own (true, also when left out), or one that stays linked to an original that is a template.
    full: Option<bool>,
    /// Clones: as it was at this snapshot; as it is now when left out.
    snapshot: Option<String>,
}

/// What it is made from.
pub(crate) enum From {
    Clone,
    /// The name of a backup.
    Backup(String),
}

/// # Errors
/// Everything that is wrong with the wish, who has its host name or address, or that there is nothing to copy.
pub(crate) async fn container(
    app: &App,
    asking: &Asking,
    source: ContainerId,
    from: From,
    body: Body<CopyContainer>,
) -> Result<(Taken, Value), Problem> {
    let digest = body.digest;
    let Loaded { state: original, version, .. } = app.log.load::<Container>(source).await.map_err(unread)?;
    let Some(request) = original.request() else { return Err(Problem::new(Kind::NotFound)) };
    let place = place(&original, &from);
    let at = place.as_ref().ok().cloned().unwrap_or_default();
    let (spec, errors) = spec(body.read(), &request.spec, &original, at, &from);
    let wish = body.fit(errors)?;
    let seen = asking.has_seen() && !is_repeated(app, asking, &digest).await?;
    if seen {
        asking.hold(version)?;
    }
    let place = place?;
    let (id, operation) = (ContainerId::new(Uuid::now_v7()), OperationId::new(Uuid::now_v7()));
    let wanted = Request {
        spec: spec.clone(),
        operation,
        account: request.account,
        placement: None,
        template: request.template.clone(),
        // What is in it has the passwords that it had.
        root_password: None,
        inputs: None,
    };
    let events =
        Container::default().decide(ContainerCommand::Request(Box::new(wanted)), &()).map_err(Problem::internal)?;
    let events = events.iter().map(domain::Event::encode).collect::<Result<_, _>>().map_err(Problem::internal)?;
    let command = match from {
        From::Clone => {
            Command::CloneContainer { container: id, source, full: wish.full.unwrap_or(true), snapshot: wish.snapshot }
        }
        From::Backup(backup) => Command::RestoreNew { container: id, source, backup },
    };
    let host = match place {
        Where::Node { host, .. } | Where::Host(host) => Some(host),
        Where::Anywhere => None,
    };
    let accepting = Accepting::begin(app, asking, operation, command, host).await?.with(|append| {
        let append = append.stream(Container::stream(id), Expected::New, events);
        let append = match seen {
            true => append.stream(Container::stream(source), Expected::Version(version), Vec::new()),
            false => append,
        };
        addresses::unshared(id, &spec).into_iter().fold(append, Append::with)
    });
    match accepting.finish(app, asking, &digest, json!({ "container": id })).await {
        Ok(taken) => {
            let more = json!({ "container": taken.kept.get("container") });
            Ok((taken, more))
        }
        Err(Refusal::Append(error)) if seen && error.is_conflict() => Err(Problem::new(Kind::Stale)),
        Err(Refusal::Append(error)) if error.at_work() => Err(busy(app, source).await),
        Err(Refusal::Append(error)) if error.is_taken() => Err(in_use::refused(app, asking, &spec).await),
        Err(other) => Err(other.into()),
    }
}

/// Where the original is: its disks, or its backup, are there.
fn place(original: &Container, from: &From) -> Result<Where, Problem> {
    if let From::Backup(name) = from
        && let Some(made) = original.backups().find(|made| file(&made.volume) == name)
    {
        return Ok(Where::Node { host: made.host, node: made.node.clone() });
    }
    match original.guest() {
        Some(guest) => Ok(Where::Node { host: guest.host, node: guest.node.clone() }),
        None if matches!(from, From::Backup(_)) => Err(Problem::new(Kind::NotFound)),
        None => Err(Problem::new(Kind::NotPossible).detail(match original.lifecycle() {
            Lifecycle::Removed => "the container has been removed",
            _ => "the container has no guest to copy",
        })),
    }
}

fn spec(
    wish: &CopyContainer,
    of: &ContainerSpec,
    original: &Container,
    place: Where,
    from: &From,
) -> (ContainerSpec, Vec<FieldProblem>) {
    let mut errors = Vec::new();
    let mut spec = ContainerSpec { place, vmid: None, storage: None, ..of.clone() };
    match &wish.hostname {
        Some(hostname) => spec.hostname.clone_from(hostname),
        None => errors.push(wrong("hostname", "is missing", "the copy needs a name of its own")),
    }
    if let Some(network) = &wish.network {
        spec.network = network.resolve(&mut errors);
    } else if original.lifecycle() != Lifecycle::Removed && is_fixed(&spec.network) {
        let fix = "give the copy a network with an address of its own, or with DHCP";
        errors.push(wrong("network", "the original has a fixed address, which can't be used twice", fix));
    }
    if let Some(tags) = &wish.tags {
        spec.tags.clone_from(tags);
    }
    spec.start_on_boot = wish.start_on_boot.unwrap_or(spec.start_on_boot);
    if let Some(name) = &wish.snapshot {
        errors.extend(check_snapshot_name(name).map(|error| FieldProblem { field: "snapshot".into(), ..error.into() }));
    }
    if matches!(from, From::Backup(_)) {
        for (field, given) in [("full", wish.full.is_some()), ("snapshot", wish.snapshot.is_some())] {
            if given {
                errors.push(wrong(field, "is for clones", "leave it out"));
            }
        }
    }
    errors
        .extend(spec.validate().into_iter().map(|error| FieldProblem { field: renamed(&error.field), ..error.into() }));
    (spec.normalized(), errors)
}

fn is_fixed(network: &Network) -> bool {
    matches!(network.ipv4, Ipv4::Static { .. }) || matches!(network.ipv6, Ipv6::Static { .. })
}
