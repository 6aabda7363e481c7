//! Bringing a container to another version of its template, and what is other there.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::container::{Container, ContainerCommand, ContainerEvent, TemplateVersion};
use domain::operation::Command;
use domain::preview::Wish;
use domain::template::{Side, Take, Template};
use domain::{AccountId, Aggregate as _, ContainerId, OperationId, Version};
use platform::catalogue::Found;
use platform::views::{self, ContainerRow};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::accept::{Taken, is_repeated};
use crate::act::{self, Also, For};
use crate::answers::given_before;
use crate::app::App;
use crate::asking::Asking;
use crate::body::Body;
use crate::copies;
use crate::create::seal_inputs;
use crate::paging::wrong;
use crate::preview;
use crate::problem::{FieldProblem, Kind, Problem};
use crate::rebuild;
use crate::secret::Secret;
use crate::shape::plan::Plan;
use crate::shape::version::VersionOfContainer;
use crate::unread::unread;
use crate::wish::{Answer, check_inputs};

/// To which version, and what stays where both sides changed a file.
#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "take": { "/etc/nginx/conf.d/site.conf": "theirs" }, "inputs": { "SERVER_NAME": "example.org" } }))]
pub(crate) struct UpdateContainer {
    /// The hash of a version; the template's newest when left out.
    version: Option<String>,
    /// For each file that was changed both in the container and in the template: `theirs` puts the template's there,
    /// `ours` leaves the container's. `*` stands for all that are not named.
    #[serde(default)]
    take: BTreeMap<String, TakeWish>,
    /// Answers to the new version's questions; those given before stay where they are not given anew.
    #[schema(value_type = BTreeMap<String, String>)]
    #[serde(default)]
    inputs: BTreeMap<String, Answer>,
    /// Whether a snapshot is taken first, to go back to when the update fails; true when left out.
    snapshot: Option<bool>,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TakeWish {
    Theirs,
    Ours,
}

impl From<TakeWish> for Side {
    fn from(wish: TakeWish) -> Self {
        match wish {
            TakeWish::Theirs => Self::Theirs,
            TakeWish::Ours => Self::Ours,
        }
    }
}

impl UpdateContainer {
    fn faults(&self) -> Vec<FieldProblem> {
        let odd = self.take.keys().find(|path| *path != "*" && !path.starts_with('/'));
        let fix = "write the file's whole path in the container, or * for all";
        odd.map(|path| wrong("take", &format!("{path:?} is no path"), fix)).into_iter().collect()
    }

    fn take(&self) -> Take {
        let mut files: BTreeMap<String, Side> =
            self.take.iter().map(|(path, side)| (path.clone(), (*side).into())).collect();
        Take { all: files.remove("*"), files }
    }
}

/// Between which versions.
struct Way {
    from: TemplateVersion,
    to: TemplateVersion,
    template: Arc<Template>,
}

/// # Errors
/// Why it can't be updated now.
pub(crate) async fn update(
    app: &App,
    asking: &Asking,
    id: ContainerId,
    body: Body<UpdateContainer>,
) -> Result<Taken, Problem> {
    let digest = body.digest;
    let way = way(app, id, body.read().version.as_deref()).await?;
    // Whoever asks again is told what the first time came to.
    let repeated = is_repeated(app, asking, &digest).await?;
    if way.from == way.to && !repeated {
        act::as_seen(app, asking, id).await?;
        let faults = body.read().faults();
        return Err(body.fit(faults).err().unwrap_or_else(up_to_date));
    }
    let (answers, faults) = answered(app, id, body.read(), &way.template).await?;
    let wish = body.fit(if repeated { Vec::new() } else { faults })?;
    let mut rows = Vec::new();
    let answers =
        if wish.inputs.is_empty() { None } else { seal_inputs(app, &Container::stream(id), &answers, &mut rows)? };
    let found = Found {
        name: way.to.name.clone(),
        template: Some(way.template.clone()),
        version: Some(way.to.clone()),
        findings: Vec::new(),
    };
    rows.extend(app.catalogue.keep(&found));
    let without_snapshot = !wish.snapshot.unwrap_or(true);
    let (from, to, take) = (way.from, way.to, wish.take());
    let command = Command::UpdateContainer { container: id, from, to, take, without_snapshot, answers };
    let operation = OperationId::new(Uuid::now_v7());
    let also = Also {
        operation,
        digest,
        says: answers.map(ContainerCommand::GiveAnswers),
        rows,
        kept: json!({ "container": id }),
    };
    let taken = act::saying(app, asking, id, For::Ready, command, also).await?;
    taken.stored(app, &found);
    Ok(taken)
}

/// # Errors
/// When there is no way to that version.
pub(crate) async fn plan(app: &App, id: ContainerId, body: Body<UpdateContainer>) -> Result<Plan, Problem> {
    let way = way(app, id, body.read().version.as_deref()).await?;
    if way.from == way.to {
        let faults = body.read().faults();
        return Err(body.fit(faults).err().unwrap_or_else(up_to_date));
    }
    let (_, faults) = answered(app, id, body.read(), &way.template).await?;
    let wish = body.fit(faults)?;
    let guest = copies::guest(app, id).await?;
    let from = kept(app, &way.from.hash).await?;
    let wish = Wish::Update { guest, from: Box::new(from), to: Box::new((*way.template).clone()), take: wish.take() };
    let mut plan = preview::plan(app, "update", wish).await?;
    plan.possible = plan.conflicts.is_empty();
    Ok(plan)
}

/// All answers as they are to be, and everything that is wrong with the wish.
async fn answered(
    app: &App,
    id: ContainerId,
    wish: &UpdateContainer,
    template: &Template,
) -> Result<(BTreeMap<String, Secret>, Vec<FieldProblem>), Problem> {
    let (asked, mut faults) = (&template.settings.inputs, wish.faults());
    let mut answers = match rebuild::request(app, id).await?.inputs {
        Some(sealed) => given_before(app, sealed, asked).await?.0,
        None => BTreeMap::new(),
    };
    answers.extend(wish.inputs.iter().map(|(name, answer)| (name.clone(), answer.text())));
    check_inputs(&answers, asked, &mut faults);
    Ok((answers, faults))
}

fn up_to_date() -> Problem {
    Problem::new(Kind::NotPossible).detail("the container has that version already; `apply` runs it through again")
}

/// # Errors
/// `not-found`, or that it is made from a bare image.
pub(crate) async fn version_of(app: &App, id: ContainerId) -> Result<TemplateVersion, Problem> {
    of_row(app, id).await.map(|(version, _)| version)
}

/// The version that it has, and the template as it is now: the tree's, or one that its account made.
///
/// # Errors
/// The same.
pub(crate) async fn with_newest(app: &App, id: ContainerId) -> Result<(TemplateVersion, Option<Arc<Found>>), Problem> {
    let (has, account) = of_row(app, id).await?;
    let found = app.catalogue.find(&has.name).await.map_err(unread)?;
    let found = match (found, account) {
        (None, Some(account)) => app.catalogue.own(account, &has.name).await.map_err(unread)?,
        (found, _) => found,
    };
    Ok((has, found))
}

async fn of_row(app: &App, id: ContainerId) -> Result<(TemplateVersion, Option<AccountId>), Problem> {
    let row: Option<ContainerRow> = views::get(app.log.db(), id).await.map_err(unread)?;
    let row = row.ok_or_else(|| Problem::new(Kind::NotFound))?;
    let bare = || Problem::new(Kind::NotPossible).detail("it is made from a bare image, without a template");
    Ok((row.template.ok_or_else(bare)?, row.account))
}

async fn way(app: &App, id: ContainerId, wanted: Option<&str>) -> Result<Way, Problem> {
    let (from, found) = with_newest(app, id).await?;
    if let Some(hash) = wanted {
        let template = kept(app, hash).await?;
        if template.name != from.name {
            let detail =
                format!("{hash} is a version of {}, and the container is made from {}", template.name, from.name);
            return Err(Problem::new(Kind::NotPossible).detail(detail));
        }
        let to = TemplateVersion { name: from.name.clone(), hash: hash.to_owned() };
        return Ok(Way { from, to, template: Arc::new(template) });
    }
    let Some(found) = found else {
        return Err(Problem::new(Kind::NotPossible).detail(format!("there is no template {} any more", from.name)));
    };
    match (&found.template, &found.version) {
        (Some(template), Some(to)) => Ok(Way { from, to: to.clone(), template: template.clone() }),
        _ => {
            let reason = found.findings.first().map(ToString::to_string).unwrap_or_default();
            Err(Problem::new(Kind::NotPossible).detail(format!("the template {} is broken: {reason}", from.name)))
        }
    }
}

/// A version that some container got.
///
/// # Errors
/// `not-found`.
pub(crate) async fn kept(app: &App, hash: &str) -> Result<Template, Problem> {
    let found = app.catalogue.version(hash).await.map_err(unread)?;
    found.ok_or_else(|| Problem::new(Kind::NotFound).detail(format!("no version {hash} of a template is kept")))
}

/// Every version that the container had, the newest first.
///
/// # Errors
/// When the log can't be read.
pub(crate) async fn history(app: &App, id: ContainerId) -> Result<Vec<VersionOfContainer>, Problem> {
    let events = app.log.stream(&Container::stream(id), Version(0)).await.map_err(unread)?;
    let one = |recorded: &domain::Recorded| {
        let version = match recorded.event().ok()? {
            ContainerEvent::Requested(request) => request.template?,
            ContainerEvent::TemplateApplied { to, .. } => to,
            _ => return None,
        };
        let operation = recorded.meta.correlation.map(|id| format!("/v1/operations/{id}"));
        Some(VersionOfContainer { version: version.hash, at: recorded.recorded_at, operation })
    };
    Ok(events.iter().rev().filter_map(one).collect())
}
