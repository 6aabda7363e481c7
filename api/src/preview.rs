//! What would happen if it were asked for. Reads only.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::container::{Change, Container, ContainerSpec, Guest, Lifecycle, Source};
use domain::copy::BackupMode;
use domain::operation::Command;
use domain::preview::{Call, Preview, Wish};
use domain::quota::{Takes, Usage};
use domain::template::Template;
use domain::vmid::Vmid;
use domain::{AccountId, ContainerId};
use futures_util::future::BoxFuture;
use platform::people::quota;
use platform::views::{self, AccountRow, ContainerRow, CopiesKeptRow};

use crate::act::told;
use crate::app::App;
use crate::asking::Asking;
use crate::body::Body;
use crate::in_use;
use crate::paging::wrong;
use crate::problem::{Kind, Problem};
use crate::rebuild::Wanted;
use crate::shape::plan::{Plan, QuotaEffect};
use crate::unread::{unknown, unread};
use crate::wish::{CreateContainer, RebuildContainer, Resize};

/// What only hosts can tell; in words for the log when it can't be found out.
pub type Foresee = Arc<dyn Fn(Wish) -> BoxFuture<'static, Result<Preview, String>> + Send + Sync>;

/// # Errors
/// Everything that is wrong with the wish, as when it is really asked for.
pub(crate) async fn of_create(app: &App, asking: &Asking, body: Body<CreateContainer>) -> Result<Plan, Problem> {
    let mut wish = body.read().resolve(app, asking).await?;
    body.fit(std::mem::take(&mut wish.errors))?;
    let spec = wish.spec;
    let settings = wish.template.as_ref().and_then(|found| found.template.as_ref()).map(|found| &found.settings);
    let image = match (&spec.source, settings) {
        (Source::Image(image), _) => image.clone(),
        (Source::Template(_), Some(settings)) => format!("{}-{}", settings.os, settings.version),
        (Source::Template(name), None) => name.clone(),
    };
    let asked = Wish::Create { spec: Box::new(spec.clone()), image };
    let mut plan = plan(app, "create", asked).await?;
    plan.conflicts.extend(in_use::told(asking, &in_use::holders(app, &spec).await?));
    let account = asking.caller.account;
    effect(app, &mut plan, account, deltas(Usage::default(), Usage::of(&spec))).await?;
    Ok(plan)
}

/// # Errors
/// `not-found`, and everything that is wrong with the change.
pub(crate) async fn of_resize(app: &App, id: ContainerId, body: Body<Resize>) -> Result<Plan, Problem> {
    let row = container(app, id).await?;
    let change = Change::from(body.read());
    body.fit(change.faults(&row.spec).into_iter().map(told).collect())?;
    if change.fields().is_empty() {
        return Err(Problem::new(Kind::Invalid).detail("nothing is to be different: give at least one field"));
    }
    let spec = change.of(&row.spec);
    let mut plan = match guest(&row) {
        Some(guest) => plan(app, "resize", Wish::Resize { guest, change }).await?,
        None => without_guest("resize"),
    };
    in_the_way(app, &row, row.lifecycle == Lifecycle::Ready, &mut plan).await?;
    effect(app, &mut plan, row.account, deltas(Usage::of(&row.spec), Usage::of(&spec))).await?;
    Ok(plan)
}

/// # Errors
/// `not-found`, and everything that is wrong with the wish.
pub(crate) async fn of_rebuild(app: &App, id: ContainerId, body: Body<RebuildContainer>) -> Result<Plan, Problem> {
    let row = container(app, id).await?;
    let loaded = app.log.load::<Container>(id).await.map_err(unread)?;
    let request = loaded.state.request().ok_or_else(|| Problem::new(Kind::NotFound))?;
    let mut wanted = Wanted::of(app, body.read(), request).await?;
    let wish = body.fit(std::mem::take(&mut wanted.errors))?;
    let image = match (&wanted.source, wanted.template.as_deref()) {
        (Source::Template(_), Some(Template { settings, .. })) => format!("{}-{}", settings.os, settings.version),
        (Source::Template(name) | Source::Image(name), _) => name.clone(),
    };
    let spec = Box::new(ContainerSpec { source: wanted.source, ..row.spec.clone() });
    let mut plan = match guest(&row) {
        Some(guest) => {
            plan(app, "rebuild", Wish::Rebuild { guest, spec, image, backup_first: wish.backup_first }).await?
        }
        None => without_guest("rebuild"),
    };
    let made = row.lifecycle == Lifecycle::Ready || (row.lifecycle == Lifecycle::Failed && loaded.state.is_rebuilt());
    in_the_way(app, &row, made, &mut plan).await?;
    // Its snapshots go with the old guest.
    let after = Usage { backups: u64::from(wish.backup_first), ..Usage::of(&row.spec) };
    effect(app, &mut plan, row.account, deltas(taken(app, &row).await?, after)).await?;
    Ok(plan)
}

async fn container(app: &App, id: ContainerId) -> Result<ContainerRow, Problem> {
    let row: Option<ContainerRow> = views::get(app.log.db(), id).await.map_err(unread)?;
    row.ok_or_else(|| Problem::new(Kind::NotFound))
}

fn guest(row: &ContainerRow) -> Option<Guest> {
    Some(Guest { host: row.host?, node: row.node.clone()?, vmid: row.vmid? })
}

/// Why it would not be accepted now.
async fn in_the_way(app: &App, row: &ContainerRow, fits: bool, plan: &mut Plan) -> Result<(), Problem> {
    if row.lifecycle == Lifecycle::Removed {
        plan.conflicts.push(wrong("container", "has been removed", "there is nothing left to do"));
    } else if !fits {
        plan.conflicts.push(wrong("container", "was not made whole", "retry its create, or delete it"));
    }
    if let Some(holder) = crate::accept::holder(app, row.id).await? {
        let problem = format!("operation {holder} is at work on it");
        plan.conflicts.push(wrong("container", &problem, "wait for its end, or cancel it"));
    }
    Ok(())
}

/// What goes with its guest; its backups outlive that.
async fn taken(app: &App, row: &ContainerRow) -> Result<Usage, Problem> {
    let kept: Option<CopiesKeptRow> = views::get(app.log.db(), row.id).await.map_err(unread)?;
    Ok(Usage { snapshots: kept.map_or(0, |kept| kept.snapshots), ..Usage::of(&row.spec) })
}

/// From one to the other, by name.
fn deltas(before: Usage, after: Usage) -> [(&'static str, i64); 6] {
    let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let mut deltas = after.named().map(|(what, number)| (what, whole(number)));
    for ((_, delta), (_, before)) in deltas.iter_mut().zip(before.named()) {
        *delta -= whole(before);
    }
    deltas
}

/// # Errors
/// `not-found`.
pub(crate) async fn of_delete(
    app: &App,
    id: ContainerId,
    (purge, keep_unreferenced): (bool, bool),
    delay: Option<TimeDelta>,
) -> Result<Plan, Problem> {
    let row = container(app, id).await?;
    let wish = Wish::Delete { container: id, guest: guest(&row), purge, keep_unreferenced };
    let mut plan = plan(app, "delete", wish).await?;
    match delay {
        // Whoever is at work on it now need not be then.
        Some(delay) if row.lifecycle != Lifecycle::Removed => {
            let at = (app.log.clock().now() + delay).format("%Y-%m-%d %H:%M:%S UTC");
            plan.notes.push(format!("not before {at}: until then it works as it does, and undelete takes it back"));
        }
        _ => in_the_way(app, &row, true, &mut plan).await?,
    }
    if delay.is_none()
        && let Some(deletion) = row.deletion
    {
        plan.notes.push(format!("it is to be deleted at {} anyway", deletion.at.format("%Y-%m-%d %H:%M:%S UTC")));
    }
    effect(app, &mut plan, row.account, deltas(taken(app, &row).await?, Usage::default())).await?;
    Ok(plan)
}

/// A snapshot or a backup to be made.
///
/// # Errors
/// `not-found`.
pub(crate) async fn of_copy(app: &App, id: ContainerId, command: &Command) -> Result<Plan, Problem> {
    let row = container(app, id).await?;
    let action = if matches!(command, Command::BackUp { .. }) { "backup" } else { "snapshot" };
    let mut plan = Plan { action: action.to_owned(), ..Plan::default() };
    match (&row.node, row.vmid, row.lifecycle) {
        (Some(node), Some(vmid), Lifecycle::Ready) => plan.calls.extend(call(command, node, vmid).map(Into::into)),
        _ => plan.conflicts.push(wrong("container", "is not ready", "create it whole first")),
    }
    in_the_way(app, &row, true, &mut plan).await?;
    let asked = command.takes().map(Takes::one).unwrap_or_default();
    effect(app, &mut plan, row.account, deltas(Usage::default(), asked)).await?;
    Ok(plan)
}

fn call(command: &Command, node: &str, vmid: Vmid) -> Option<Call> {
    match command {
        Command::TakeSnapshot { name, .. } => {
            Some(Call::new("POST", format!("/nodes/{node}/lxc/{vmid}/snapshot")).with("snapname", name))
        }
        Command::BackUp { storage, mode, .. } => {
            let call = Call::new("POST", format!("/nodes/{node}/vzdump")).with("vmid", vmid).with("mode", word(*mode));
            Some(storage.iter().fold(call, |call, storage| call.with("storage", storage)))
        }
        _ => None,
    }
}

const fn word(mode: BackupMode) -> &'static str {
    match mode {
        BackupMode::Snapshot => "snapshot",
        BackupMode::Suspend => "suspend",
        BackupMode::Stop => "stop",
    }
}

pub(crate) async fn plan(app: &App, action: &str, wish: Wish) -> Result<Plan, Problem> {
    Ok(shown(action, (app.foresee)(wish).await.map_err(unknown)?))
}

/// Only our own records tell of one without a guest.
fn without_guest(action: &str) -> Plan {
    let mut plan = shown(action, Preview::default());
    plan.notes.push("it has no guest on Proxmox now".to_owned());
    plan
}

fn shown(action: &str, seen: Preview) -> Plan {
    Plan {
        action: action.to_owned(),
        possible: false,
        place: seen.chosen.map(Into::into),
        considered: seen.considered.into_iter().map(Into::into).collect(),
        calls: seen.calls.into_iter().map(Into::into).collect(),
        conflicts: seen.conflicts.into_iter().map(told).collect(),
        notes: seen.notes,
        account: None,
        quota: Vec::new(),
    }
}

/// What it does to the account's quota, and then whether it is possible at all.
async fn effect(
    app: &App,
    plan: &mut Plan,
    account: Option<AccountId>,
    asked: [(&'static str, i64); 6],
) -> Result<(), Problem> {
    if let Some(account) = account
        && let Some(row) = views::get::<AccountRow>(app.log.db(), account).await.map_err(unread)?
    {
        let used = quota::used(app.log.db(), account).await.map_err(unread)?;
        let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        for (((what, asked), (_, used)), limit) in asked.into_iter().zip(used.named()).zip(row.quota.limits()) {
            if asked == 0 {
                continue;
            }
            let left = limit.map(|limit| whole(limit) - whole(used) - asked);
            if asked > 0 && left.is_some_and(|left| left < 0) {
                let problem = format!("the account's {what} would be {} more than it may have", -left.unwrap_or(0));
                plan.conflicts.push(wrong(what, &problem, "ask for less, or have the quota raised"));
            }
            plan.quota.push(QuotaEffect { what: what.to_owned(), used, asked, left });
        }
        plan.account = Some(account.uuid());
    }
    plan.possible = plan.conflicts.is_empty();
    Ok(())
}
