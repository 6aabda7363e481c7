//! What would happen if it were asked for. Reads only.

use std::sync::Arc;

use domain::container::{Guest, Lifecycle, Source};
use domain::copy::BackupMode;
use domain::operation::Command;
use domain::preview::{Call, Preview, Wish};
use domain::quota::{Takes, Usage};
use domain::vmid::Vmid;
use domain::{AccountId, ContainerId};
use futures_util::future::BoxFuture;
use platform::people::quota;
use platform::views::{self, AccountRow, ContainerRow, CopiesKeptRow};

use crate::accept::unread;
use crate::app::App;
use crate::asking::Asking;
use crate::body::Body;
use crate::in_use;
use crate::paging::wrong;
use crate::problem::{FieldProblem, Kind, Problem};
use crate::shape::plan::{Plan, QuotaEffect};
use crate::wish::CreateContainer;

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
    effect(app, &mut plan, account, Usage::of(&spec), 1).await?;
    Ok(plan)
}

/// # Errors
/// `not-found`.
pub(crate) async fn of_delete(app: &App, id: ContainerId, purge: bool) -> Result<Plan, Problem> {
    let row: Option<ContainerRow> = views::get(app.log.db(), id).await.map_err(unread)?;
    let row = row.ok_or_else(|| Problem::new(Kind::NotFound))?;
    let guest = match (row.host, row.node, row.vmid) {
        (Some(host), Some(node), Some(vmid)) => Some(Guest { host, node, vmid }),
        _ => None,
    };
    let mut plan = plan(app, "delete", Wish::Delete { container: id, guest, purge }).await?;
    if row.lifecycle == Lifecycle::Removed {
        plan.conflicts.push(wrong("container", "has been removed", "there is nothing left to do"));
    }
    if let Some(holder) = crate::accept::holder(app, id).await? {
        let problem = format!("operation {holder} is at work on it");
        plan.conflicts.push(wrong("container", &problem, "wait for its end, or cancel it"));
    }
    let kept: Option<CopiesKeptRow> = views::get(app.log.db(), id).await.map_err(unread)?;
    // Its backups outlive it.
    let snapshots = kept.map_or(0, |kept| kept.snapshots);
    effect(app, &mut plan, row.account, Usage { snapshots, ..Usage::of(&row.spec) }, -1).await?;
    Ok(plan)
}

/// A snapshot or a backup to be made.
///
/// # Errors
/// `not-found`.
pub(crate) async fn of_copy(app: &App, id: ContainerId, command: &Command) -> Result<Plan, Problem> {
    let row: Option<ContainerRow> = views::get(app.log.db(), id).await.map_err(unread)?;
    let row = row.ok_or_else(|| Problem::new(Kind::NotFound))?;
    let action = if matches!(command, Command::BackUp { .. }) { "backup" } else { "snapshot" };
    let mut plan = Plan { action: action.to_owned(), ..Plan::default() };
    match (&row.node, row.vmid, row.lifecycle) {
        (Some(node), Some(vmid), Lifecycle::Ready) => plan.calls.extend(call(command, node, vmid).map(Into::into)),
        _ => plan.conflicts.push(wrong("container", "is not ready", "create it whole first")),
    }
    if let Some(holder) = crate::accept::holder(app, id).await? {
        let problem = format!("operation {holder} is at work on it");
        plan.conflicts.push(wrong("container", &problem, "wait for its end, or cancel it"));
    }
    let asked = command.takes().map(Takes::one).unwrap_or_default();
    effect(app, &mut plan, row.account, asked, 1).await?;
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

async fn plan(app: &App, action: &str, wish: Wish) -> Result<Plan, Problem> {
    let seen = (app.foresee)(wish).await.map_err(Problem::internal)?;
    let conflict =
        |error: domain::FieldError| FieldProblem { field: error.field, problem: error.problem, fix: error.fix };
    Ok(Plan {
        action: action.to_owned(),
        possible: false,
        place: seen.chosen.map(Into::into),
        considered: seen.considered.into_iter().map(Into::into).collect(),
        calls: seen.calls.into_iter().map(Into::into).collect(),
        conflicts: seen.conflicts.into_iter().map(conflict).collect(),
        notes: seen.notes,
        account: None,
        quota: Vec::new(),
    })
}

/// What it does to the account's quota, and then whether it is possible at all.
async fn effect(
    app: &App,
    plan: &mut Plan,
    account: Option<AccountId>,
    asked: Usage,
    sign: i64,
) -> Result<(), Problem> {
    if let Some(account) = account
        && let Some(row) = views::get::<AccountRow>(app.log.db(), account).await.map_err(unread)?
    {
        let used = quota::used(app.log.db(), account).await.map_err(unread)?;
        let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        for (((what, asked), (_, used)), limit) in asked.named().into_iter().zip(used.named()).zip(row.quota.limits()) {
            if asked == 0 {
                continue;
            }
            let asked = sign * whole(asked);
            let left = limit.map(|limit| whole(limit) - whole(used) - asked);
            if sign > 0 && left.is_some_and(|left| left < 0) {
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
