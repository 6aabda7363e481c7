//! Asking the same of many containers: each becomes an operation of its own, and one summary tells how all of them go.

use std::collections::HashMap;

use domain::bulk::{Bulk, BulkCommand, Item, Refused, Requested};
use domain::operation::{Command, Failure, Status};
use domain::{Aggregate as _, BulkId, ContainerId, OperationId, Permission};
use futures_util::stream::{self, StreamExt as _};
use platform::log::{Append, Expected};
use platform::views::{self, ContainerFilter, ContainerRow, MOST, OperationRow, Order, Page};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::accept::not_appended;
use crate::access::Caller;
use crate::act::{self, For};
use crate::app::App;
use crate::asking::Asking;
use crate::body::Body;
use crate::paging::wrong;
use crate::problem::{FieldProblem, Kind, Problem};
use crate::rebuild;
use crate::shape::bulk::{Among, AskBulk, BulkFailure, BulkRefusal, BulkView, Counts};
use crate::unread::unread;
use crate::wish::RebuildContainer;

/// For so many containers at most.
pub(crate) const LARGEST: usize = 1000;
/// So many are accepted side by side; the log takes them in one commit.
const AT_ONCE: usize = 16;

/// # Errors
/// What is wrong with the request as a whole; what is wrong with one container is in the summary.
pub(crate) async fn ask(app: &App, asking: &Asking, body: Body<AskBulk>) -> Result<BulkId, Problem> {
    let digest = body.digest;
    let errors = check(body.read());
    let wish = body.fit(errors)?;
    let action = wish.action.clone().unwrap_or_default();
    if matches!(action.as_str(), "delete" | "rebuild") && !asking.caller.permits(Permission::ContainersDelete) {
        let detail = "deleting containers, and what is in them, is not among what you may do";
        return Err(Problem::new(Kind::Forbidden).detail(detail));
    }
    let containers = among(app, asking, &wish).await?;
    let item = |container: &ContainerId| Item { container: *container, operation: OperationId::new(Uuid::now_v7()) };
    let items: Vec<Item> = containers.iter().map(item).collect();
    let requested = Requested { action: action.clone(), account: asking.caller.account, items: items.clone() };
    let id = BulkId::new(Uuid::now_v7());
    let events = Bulk::default().decide(BulkCommand::Request(requested), &()).map_err(Problem::internal)?;
    let events = events.iter().map(domain::Event::encode).collect::<Result<_, _>>().map_err(Problem::internal)?;
    let append = Append::new(asking.meta()).stream(Bulk::stream(id), Expected::New, events);
    let appended = app.log.append(append.once(asking.once(&digest, json!({ "bulk": id })))).await;
    let appended = appended.map_err(|error| not_appended(&error))?;
    if let Some(before) = appended.repeated.as_ref().and_then(|kept| kept.get("bulk")).and_then(Value::as_str) {
        return before.parse().map_err(Problem::internal);
    }
    // The key stands for the whole; under it the first operation would stand for all others.
    let each = asking.without_key();
    let asked = stream::iter(items).map(|item| {
        let (each, wish, action) = (&each, &wish, &action);
        async move {
            if action == "rebuild" {
                let wish = RebuildContainer {
                    version: wish.version,
                    backup_first: wish.backup_first,
                    ..RebuildContainer::default()
                };
                let rebuilt = rebuild::one_of_many(app, each, (item.container, item.operation), wish).await;
                return rebuilt.map_err(|problem| Some((item.container, problem)));
            }
            let (of, command) = command(action, item.container, wish)?;
            act::under(app, each, item.operation, item.container, of, command)
                .await
                .map(drop)
                .map_err(|problem| Some((item.container, problem)))
        }
    });
    let refused: Vec<Refused> = asked
        .buffered(AT_ONCE)
        .filter_map(|asked| async move { asked.err().flatten() })
        .map(|(container, problem)| refusal(container, &problem))
        .collect()
        .await;
    let told = app.log.execute::<Bulk>(id, BulkCommand::RecordAsked(refused), &(), asking.meta()).await;
    if let Err(error) = told {
        tracing::warn!(bulk.id = %id, %error, "which of them were refused could not be written");
    }
    Ok(id)
}

fn refusal(container: ContainerId, problem: &Problem) -> Refused {
    let slug = problem.kind.rsplit('/').next().unwrap_or_default().to_owned();
    let detail = problem.detail.as_deref().unwrap_or(problem.title).to_owned();
    Refused { container, slug, detail }
}

type No = Option<(ContainerId, Problem)>;

fn command(action: &str, container: ContainerId, wish: &AskBulk) -> Result<(For, Command), No> {
    let timeout_seconds = wish.timeout_seconds.unwrap_or(60);
    Ok(match action {
        "start" => (For::Ready, Command::StartContainer { container }),
        "stop" => (For::Ready, Command::StopContainer { container }),
        "shutdown" => (For::Ready, Command::ShutdownContainer { container, timeout_seconds }),
        "reboot" => (For::Ready, Command::RebootContainer { container, timeout_seconds }),
        "delete" => (For::Present, Command::DeleteContainer { container, purge: wish.purge, keep_unreferenced: false }),
        _ => return Err(None),
    })
}

const ACTIONS: [&str; 6] = ["start", "stop", "shutdown", "reboot", "rebuild", "delete"];

fn check(wish: &AskBulk) -> Vec<FieldProblem> {
    let mut errors = Vec::new();
    match wish.action.as_deref() {
        None => errors.push(wrong("action", "is missing", &format!("choose one of {}", ACTIONS.join(", ")))),
        Some(action) if !ACTIONS.contains(&action) => {
            errors.push(wrong(
                "action",
                &format!("{action:?} is none"),
                &format!("choose one of {}", ACTIONS.join(", ")),
            ));
        }
        Some(_) => {}
    }
    match (&wish.ids, &wish.filter) {
        (Some(_), Some(_)) => errors.push(wrong("filter", "stands beside ids", "give one of the two")),
        (None, None) => errors.push(wrong("ids", "is missing", "name containers, or give a filter")),
        (Some(ids), None) if ids.is_empty() || ids.len() > LARGEST => {
            errors.push(wrong("ids", &format!("there are {}", ids.len()), &format!("give 1 to {LARGEST}")));
        }
        (None, Some(filter)) if *filter == Among::default() => {
            errors.push(wrong("filter", "leaves all there are", "say which: tag, template, host, node; or all: true"));
        }
        _ => {}
    }
    if wish.timeout_seconds.is_some_and(|seconds| !(1..=3600).contains(&seconds)) {
        errors.push(wrong("timeout_seconds", "is out of range", "choose 1 to 3600"));
    }
    if wish.action.as_deref() != Some("rebuild") {
        let alone = [("version", wish.version.is_some()), ("backup_first", wish.backup_first)];
        let said = alone.into_iter().filter(|(_, said)| *said);
        errors.extend(said.map(|(field, _)| wrong(field, "is for rebuild", "leave it out")));
    }
    errors
}

/// Only the caller's own; what they may not see is refused one by one as if it were not there.
async fn among(app: &App, asking: &Asking, wish: &AskBulk) -> Result<Vec<ContainerId>, Problem> {
    let mut found = Vec::new();
    if let Some(ids) = &wish.ids {
        found.extend(ids.iter().map(|id| ContainerId::new(*id)));
        found.sort_unstable();
        found.dedup();
        return Ok(found);
    }
    let among = wish.filter.clone().unwrap_or_default();
    let mut after = None;
    loop {
        let filter = ContainerFilter {
            account: asking.caller.account,
            template: among.template.clone(),
            host: among.host.map(domain::HostId::new),
            node: among.node.clone(),
            lifecycle: vec![domain::container::Lifecycle::Ready, domain::container::Lifecycle::Failed],
            ..ContainerFilter::default()
        };
        let page = Page { limit: MOST, after, order: Order::Oldest };
        let rows = views::page::<ContainerRow>(app.log.db(), &filter, &page).await.map_err(unread)?;
        let fits = |row: &ContainerRow| among.tag.as_ref().is_none_or(|tag| row.spec.tags.contains(tag));
        found.extend(rows.items.into_iter().filter(fits).map(|row| row.id));
        after = rows.next;
        let (field, fix) = ("filter", "narrow it, or ask several times");
        if found.len() > LARGEST {
            let problem = format!("leaves more than {LARGEST} containers");
            return Err(Problem::new(Kind::Invalid).fields(vec![wrong(field, &problem, fix)]));
        }
        if after.is_none() {
            break;
        }
    }
    if found.is_empty() {
        let error = wrong("filter", "leaves no container", "see /v1/containers for those there are");
        return Err(Problem::new(Kind::Invalid).fields(vec![error]));
    }
    Ok(found)
}

/// How one of the operations goes.
pub(crate) struct How {
    status: Status,
    percent: f64,
    error: Option<Failure>,
}

impl How {
    pub(crate) const fn has_ended(&self) -> bool {
        !matches!(self.status, Status::Queued | Status::Running)
    }
}

pub(crate) type Hows = HashMap<OperationId, How>;

/// # Errors
/// `not-found`, also for what is another account's.
pub(crate) async fn summary(app: &App, caller: &Caller, id: BulkId) -> Result<BulkView, Problem> {
    let bulk = state(app, caller, id).await?;
    let mut hows = Hows::new();
    let operations: Vec<_> = bulk.requested().iter().flat_map(|one| &one.items).map(|item| item.operation).collect();
    look(app, &operations, &mut hows).await?;
    view(id, &bulk, &hows).ok_or_else(|| Problem::new(Kind::NotFound))
}

/// # Errors
/// `not-found`, also for what is another account's.
pub(crate) async fn state(app: &App, caller: &Caller, id: BulkId) -> Result<Bulk, Problem> {
    let bulk = app.log.load::<Bulk>(id).await.map_err(unread)?.state;
    let requested = bulk.requested().ok_or_else(|| Problem::new(Kind::NotFound))?;
    caller.sees(requested.account)?;
    Ok(bulk)
}

/// How these go now; those that were not accepted are left out.
///
/// # Errors
/// When the database can't be read.
pub(crate) async fn look(app: &App, operations: &[OperationId], hows: &mut Hows) -> Result<(), Problem> {
    let rows = stream::iter(operations.iter().copied())
        .map(|id| async move { views::get::<OperationRow>(app.log.db(), id).await })
        .buffered(AT_ONCE);
    let rows: Vec<_> = rows.collect().await;
    for row in rows {
        if let Some(row) = row.map_err(unread)? {
            hows.insert(row.id, How { status: row.status, percent: row.percent, error: row.error });
        }
    }
    Ok(())
}

/// None for what was never asked.
pub(crate) fn view(id: BulkId, bulk: &Bulk, hows: &Hows) -> Option<BulkView> {
    let requested = bulk.requested()?;
    let refused = bulk.refused().unwrap_or_default();
    let mut counts = Counts { total: requested.items.len(), refused: refused.len(), ..Counts::default() };
    let (mut failed, mut percent) = (Vec::new(), 0.0);
    for item in &requested.items {
        let Some(how) = hows.get(&item.operation) else { continue };
        counts.accepted += 1;
        percent += if how.has_ended() { 100.0 } else { how.percent };
        match how.status {
            Status::Queued => counts.queued += 1,
            Status::Running => counts.running += 1,
            Status::Succeeded => counts.succeeded += 1,
            Status::Cancelled => counts.cancelled += 1,
            Status::Failed | Status::Stuck => {
                counts.failed += 1;
                failed.push(BulkFailure {
                    container: item.container.uuid(),
                    operation: item.operation.uuid(),
                    error: how.error.as_ref().map(Into::into),
                });
            }
        }
    }
    // Those of a request that broke off while it was asking are told as neither accepted nor refused.
    let ended = counts.queued == 0 && counts.running == 0 && bulk.refused().is_some();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
    let percent = if counts.accepted == 0 { 100 } else { (percent / counts.accepted as f64) as u8 };
    let refused = refused.iter().map(|one| BulkRefusal {
        container: one.container.uuid(),
        kind: one.slug.clone(),
        detail: one.detail.clone(),
    });
    Some(BulkView {
        id: id.uuid(),
        action: requested.action.clone(),
        percent,
        ended,
        counts,
        refused: refused.collect(),
        failed,
        operations: requested.items.iter().map(|item| item.operation.uuid()).collect(),
    })
}
