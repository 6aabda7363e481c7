//! Accepting a command: one append, then a job. What follows is the worker's.

use std::time::Duration;

use actix_web::HttpResponse;
use domain::operation::{Accepted, Command, Given, Operation, OperationCommand, OperationEvent, Status};
use domain::{AccountId, Aggregate as _, ContainerId, HostId, Meta, OperationId, Version};
use platform::catalogue::Found;
use platform::log::{Append, AppendError, Appended, Expected};
use platform::people::quota;
use platform::queue::Job;
use platform::views::{self, ContainerRow, OperationFilter, OperationRow, Page, clone_sources};
use serde_json::{Value, json};

use crate::app::App;
use crate::asking::Asking;
use crate::prefer::Wait;
use crate::problem::{Kind, Problem};
use crate::shape::operation::OperationView;
use crate::topics;
use crate::unread::unread;

/// A look at an operation that somebody waits for, when no notice comes.
const LOOK: Duration = Duration::from_secs(2);

/// A command on its way into the log.
pub(crate) struct Accepting {
    pub(crate) id: OperationId,
    events: Vec<OperationEvent>,
    meta: Meta,
    append: Append,
}

/// It is in the log: from now, or since the first time that it was asked.
#[derive(Debug)]
pub(crate) struct Taken {
    /// As it was accepted.
    pub(crate) operation: OperationView,
    /// What was kept beside the first answer.
    pub(crate) kept: Value,
    pub(crate) repeated: bool,
}

impl Accepting {
    /// # Errors
    /// `queue-full`, before anything is written.
    pub(crate) async fn begin(
        app: &App,
        asking: &Asking,
        id: OperationId,
        command: Command,
        host: Option<HostId>,
    ) -> Result<Self, Problem> {
        room(app).await?;
        let given = Given { now: app.log.clock().now() };
        let (account, takes) = (owner(app, asking, &command).await?, command.takes());
        let free = clone_sources::free(id, &command);
        let accept = OperationCommand::Accept(Accepted::new(command, account, host));
        let events = Operation::default().decide(accept, &given).map_err(Problem::internal)?;
        let encoded = events.iter().map(domain::Event::encode).collect::<Result<_, _>>().map_err(Problem::internal)?;
        let mut meta = asking.meta();
        meta.correlation = Some(id.uuid());
        // An administrator acts for whose it is.
        meta.account = account;
        let held = account.zip(takes).map(|(account, takes)| quota::held(account, takes));
        let append = held.into_iter().chain(free).fold(Append::new(meta.clone()), Append::with);
        Ok(Self { id, events, meta, append: append.stream(Operation::stream(id), Expected::New, encoded) })
    }

    /// Adds to the append.
    #[must_use]
    pub(crate) fn with(mut self, more: impl FnOnce(Append) -> Append) -> Self {
        self.append = more(self.append);
        self
    }

    /// Appends it, and calls a worker. `kept` is given back when the same is asked again under the same key.
    ///
    /// # Errors
    /// Why it was not accepted; who is in the way is for the caller to find out (`AppendError::is_taken`).
    pub(crate) async fn finish(
        self,
        app: &App,
        asking: &Asking,
        body: &[u8; 32],
        mut kept: Value,
    ) -> Result<Taken, Refusal> {
        kept["operation"] = json!(self.id);
        let append = self.append.once(asking.once(body, kept.clone()));
        let appended = app.log.append(append).await.map_err(Refusal::Append)?;
        let repeated = appended.repeated.is_some();
        let kept = appended.repeated.clone().unwrap_or(kept);
        let id = kept.get("operation").and_then(Value::as_str).and_then(|id| id.parse().ok()).unwrap_or(self.id);
        if !repeated {
            call_worker(app, asking, id).await;
        }
        let operation = if repeated {
            as_accepted(app, id, &appended).await.map_err(Refusal::Problem)?
        } else {
            // Nobody knows better than we what has just been written.
            let events: Vec<_> = self.events.into_iter().map(|event| (event, appended.at)).collect();
            let told = OperationView::after(id, &self.meta, &events);
            told.ok_or_else(|| Refusal::Problem(Problem::internal("an operation without a beginning")))?
        };
        Ok(Taken { operation, kept, repeated })
    }
}

impl Taken {
    /// The version came with the append: who needs it next need not bring it. What was only repeated has written nothing,
    /// and by then the template may have come to another version.
    pub(crate) fn stored(&self, app: &App, found: &Found) {
        if !self.repeated {
            app.catalogue.kept(found);
        }
    }
}

/// Why a command was not accepted.
#[derive(Debug)]
pub(crate) enum Refusal {
    Append(AppendError),
    Problem(Problem),
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Append(error) => not_appended(&error),
            Refusal::Problem(problem) => problem,
        }
    }
}

/// What an append that failed means to the caller.
pub(crate) fn not_appended(error: &AppendError) -> Problem {
    match error {
        AppendError::Conflict { .. } => Problem::new(Kind::Conflict),
        AppendError::Stale { .. } => Problem::new(Kind::Stale).detail(error.to_string()),
        AppendError::KeyReused { .. } => Problem::new(Kind::IdempotencyMismatch),
        AppendError::Refused(_) if error.is_taken() => Problem::new(Kind::Conflict),
        AppendError::Refused(_) if error.over_quota().is_some() => over(error.over_quota().unwrap_or_default()),
        AppendError::Unknown(_) => Problem::new(Kind::Unavailable)
            .detail("whether it was accepted is not known yet; send it again with the same Idempotency-Key"),
        AppendError::Db(_) | AppendError::Closed => {
            tracing::error!(%error, "a command could not be written");
            Problem::new(Kind::Unavailable)
        }
        AppendError::Refused(_) | AppendError::Encode(_) => Problem::internal(error),
    }
}

/// Whose operation it is: that of its container or of what that is made from, and of who asks when there is none yet.
async fn owner(app: &App, asking: &Asking, command: &Command) -> Result<Option<AccountId>, Problem> {
    if let Command::AdoptGuest { account, .. } = command {
        return Ok(account.or(asking.caller.account));
    }
    let there = command.source().or_else(|| command.existing());
    let Some(target) = there else { return Ok(asking.caller.account) };
    let row: Option<ContainerRow> = views::get(app.log.db(), target).await.map_err(unread)?;
    Ok(row.map_or(asking.caller.account, |row| row.account))
}

/// Which limits, and by how much.
pub(crate) fn over(over: &[domain::quota::Over]) -> Problem {
    let words: Vec<String> =
        over.iter().map(|one| format!("{} would be {} of {}", one.what, one.wanted, one.limit)).collect();
    Problem::new(Kind::QuotaExceeded).detail(words.join("; ")).fact("over", over)
}

async fn room(app: &App) -> Result<(), Problem> {
    // A queue that does not answer does not hold up accepting: the sweep finds the operation.
    let Ok(waiting) = app.queue.waiting().await else { return Ok(()) };
    if waiting < app.queue_limit {
        return Ok(());
    }
    Err(Problem::new(Kind::QueueFull).detail(format!("{waiting} operations wait already")))
}

/// A hint only: when it is lost, the sweep finds the operation.
pub(crate) async fn call_worker(app: &App, asking: &Asking, id: OperationId) {
    let mut job = Job::new(id.uuid());
    job.request = asking.request.map(|request| request.to_string());
    job.traceparent = asking.trace.as_ref().map(ToString::to_string);
    if let Err(error) = app.queue.push(job, None).await {
        tracing::warn!(operation.id = %id, %error, "the job was not queued, the sweep will find the operation");
    }
}

/// The operation as that append left it, however far it is by now: who asks again gets the same answer.
async fn as_accepted(app: &App, id: OperationId, appended: &Appended) -> Result<OperationView, Problem> {
    let mut history = history(app, id).await?;
    history.retain(|event| event.position <= appended.last);
    OperationView::of(id, &history).ok_or_else(|| Problem::internal(format!("operation {id} is not in the log")))
}

/// # Errors
/// `not-found`, or the log can't be read.
pub(crate) async fn operation(app: &App, id: OperationId) -> Result<OperationView, Problem> {
    OperationView::of(id, &history(app, id).await?).ok_or_else(|| Problem::new(Kind::NotFound))
}

async fn history(app: &App, id: OperationId) -> Result<Vec<domain::Recorded>, Problem> {
    app.log.stream(&Operation::stream(id), Version(0)).await.map_err(unread)
}

/// Whether the same was asked before under the same key: then the first answer counts, not how things are by now.
///
/// # Errors
/// When the database can't be read.
pub(crate) async fn is_repeated(app: &App, asking: &Asking, body: &[u8; 32]) -> Result<bool, Problem> {
    let Some(asked) = asking.once(body, Value::Null) else { return Ok(false) };
    app.log.has_answered(&asked).await.map_err(unread)
}

/// 202 with the operation, or 200 when the caller waited and it has ended.
///
/// # Errors
/// When the log can't be read.
pub(crate) async fn answer(app: &App, taken: Taken, wait: Wait, more: Value) -> Result<HttpResponse, Problem> {
    let id = OperationId::new(taken.operation.id);
    let location = taken.operation.links.own.clone();
    let operation = match wait.0 {
        Some(longest) => ended(app, id, longest).await?,
        None => taken.operation,
    };
    let mut response = if operation.has_ended() { HttpResponse::Ok() } else { HttpResponse::Accepted() };
    response.insert_header(("location", location));
    if wait.0.is_some() {
        response.insert_header(("preference-applied", "wait"));
    }
    let mut body = serde_json::to_value(operation).map_err(Problem::internal)?;
    if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
        body.extend(more);
    }
    Ok(response.json(body))
}

/// The operation at its end, or as it is after that time.
async fn ended(app: &App, id: OperationId, longest: Duration) -> Result<OperationView, Problem> {
    let mut news = app.coordination.bus().subscribe(&topics::progress(id));
    let deadline = tokio::time::Instant::now() + longest;
    loop {
        let now = operation(app, id).await?;
        if now.has_ended() || tokio::time::Instant::now() >= deadline {
            return Ok(now);
        }
        let look = deadline.min(tokio::time::Instant::now() + LOOK);
        // Either is reason enough to look.
        let _ = tokio::time::timeout_at(look, news.next()).await;
    }
}

/// The operation that is at work on the container.
///
/// # Errors
/// When the database can't be read.
pub(crate) async fn holder(app: &App, container: ContainerId) -> Result<Option<OperationId>, Problem> {
    let status = vec![Status::Queued, Status::Running];
    let filter = OperationFilter { target: Some(container), status, ..Default::default() };
    let page = Page { limit: 1, ..Page::default() };
    let found = views::page::<OperationRow>(app.log.db(), &filter, &page).await.map_err(unread)?;
    match found.items.first() {
        Some(row) => Ok(Some(row.id)),
        None => clone_sources::clone_of(app.log.db(), container).await.map_err(unread),
    }
}

/// Says which one that is, what it does, and since when.
pub(crate) async fn busy(app: &App, container: ContainerId) -> Problem {
    let Ok(Some(row)) = at_work(app, container).await else {
        return Problem::new(Kind::Busy).detail("another operation was at work on it just now");
    };
    let OperationRow { id, pipeline, created_at: since, .. } = row;
    let age_seconds = (app.log.clock().now() - since).num_seconds().max(0);
    let action = json!(pipeline);
    let named = action.as_str().unwrap_or_default().replace('_', " ");
    Problem::new(Kind::Busy)
        .detail(format!("operation {id} ({named}) is at work on it, asked for {age_seconds} s ago"))
        .fact("holder", format!("/v1/operations/{id}"))
        .fact("held", json!({ "action": action, "since": since, "age_seconds": age_seconds }))
}

async fn at_work(app: &App, container: ContainerId) -> Result<Option<OperationRow>, Problem> {
    match holder(app, container).await? {
        Some(holder) => views::get(app.log.db(), holder).await.map_err(unread),
        None => Ok(None),
    }
}
