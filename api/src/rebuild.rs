//! Accepting that a container is made anew: same id, number, address and name, from the same template or another.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::container::{Container, ContainerCommand, Rebuild, Request, Scripts, Source, TemplateVersion};
use domain::operation::Command;
use domain::template::Template;
use domain::{AccountId, Aggregate as _, ContainerId, OperationId, SealedId, StreamId};
use platform::catalogue::Found;
use platform::log::Rows;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::accept::{Taken, is_repeated};
use crate::act::{self, Also, For};
use crate::answers::given_before;
use crate::app::App;
use crate::asking::Asking;
use crate::body::Body;
use crate::create::{seal, seal_inputs, tell_password};
use crate::paging::wrong;
use crate::problem::{FieldProblem, Kind, Problem};
use crate::secret::{Secret, generate, password_fault};
use crate::unread::unread;
use crate::wish::{RebuildContainer, TemplateOf, check_inputs, check_scripts, renamed, template_named};

/// A wish with everything looked up.
pub(crate) struct Wanted {
    pub(crate) source: Source,
    pub(crate) template: Option<Arc<Template>>,
    version: Option<TemplateVersion>,
    /// The template as it is now, when it is made from that.
    found: Option<Arc<Found>>,
    scripts: Scripts,
    /// Those given before to the same template among them; sealed already when nothing is new.
    answers: BTreeMap<String, Secret>,
    sealed_answers: Option<SealedId>,
    pub(crate) errors: Vec<FieldProblem>,
}

/// The operation, and the password when we made it.
///
/// # Errors
/// Everything that is wrong with the wish, or why it can't be made anew now.
pub(crate) async fn container(
    app: &App,
    asking: &Asking,
    id: ContainerId,
    body: Body<RebuildContainer>,
) -> Result<(Taken, Value), Problem> {
    let digest = body.digest;
    let request = request(app, id).await?;
    let mut wanted = Wanted::of(app, body.read(), &request).await?;
    let errors = std::mem::take(&mut wanted.errors);
    // Whoever asks again is told what the first time came to, whatever holds by now.
    let body = body.fit(if is_repeated(app, asking, &digest).await? { Vec::new() } else { errors })?;
    accept(app, asking, (id, OperationId::new(Uuid::now_v7())), digest, (request, body, wanted)).await
}

/// One of many, as an operation whose id was chosen before.
///
/// # Errors
/// The same.
pub(crate) async fn one_of_many(
    app: &App,
    asking: &Asking,
    (id, operation): (ContainerId, OperationId),
    wish: RebuildContainer,
) -> Result<(), Problem> {
    let request = request(app, id).await?;
    asking.caller.sees(request.account)?;
    let mut wanted = Wanted::of(app, &wish, &request).await?;
    match std::mem::take(&mut wanted.errors) {
        none if none.is_empty() => {}
        errors => return Err(Problem::new(Kind::Invalid).fields(errors)),
    }
    accept(app, asking, (id, operation), [0; 32], (request, wish, wanted)).await.map(drop)
}

async fn accept(
    app: &App,
    asking: &Asking,
    (id, operation): (ContainerId, OperationId),
    digest: [u8; 32],
    (request, body, wanted): (Request, RebuildContainer, Wanted),
) -> Result<(Taken, Value), Problem> {
    let stream = Container::stream(id);
    let mut rows = Vec::new();
    let made = (body.root_password.is_none() && request.root_password.is_none()).then(generate);
    let root_password = match body.root_password.as_ref().or(made.as_ref()) {
        Some(password) => Some(seal(app, &stream, "root-password", password, &mut rows)?),
        None => request.root_password,
    };
    let rebuild = wanted.sealed(app, &stream, operation, root_password, &mut rows)?;
    let says = Some(ContainerCommand::AcceptRebuild(Box::new(rebuild.clone())));
    let kept = json!({ "container": id, "password": made.as_ref().and(root_password) });
    let command =
        Command::RebuildContainer { container: id, rebuild: Box::new(rebuild), backup_first: body.backup_first };
    let taken = act::saying(app, asking, id, For::Made, command, Also { operation, digest, says, rows, kept }).await?;
    if let Some(found) = &wanted.found {
        taken.stored(app, found);
    }
    let more = tell_password(app, &taken, made.as_ref()).await;
    Ok((taken, more))
}

/// What was asked for when it was made.
///
/// # Errors
/// `not-found`.
pub(crate) async fn request(app: &App, id: ContainerId) -> Result<Request, Problem> {
    let loaded = app.log.load::<Container>(id).await.map_err(unread)?;
    loaded.state.request().cloned().ok_or_else(|| Problem::new(Kind::NotFound))
}

impl Wanted {
    /// # Errors
    /// When the catalogue or the vault can't be read.
    pub(crate) async fn of(app: &App, wish: &RebuildContainer, request: &Request) -> Result<Self, Problem> {
        let mut errors = Vec::new();
        let source = match (&wish.template, &wish.image) {
            (Some(name), None) => Source::Template(name.clone()),
            (None, Some(image)) => Source::Image(image.clone()),
            (None, None) => request.spec.source.clone(),
            (Some(_), Some(image)) => {
                errors.push(wrong("image", "stands beside a template", "give one of the two"));
                Source::Image(image.clone())
            }
        };
        let mut wanted = Self {
            source,
            template: None,
            version: None,
            found: None,
            scripts: wish.scripts.as_ref().map_or_else(|| request.spec.scripts.clone(), Scripts::from),
            answers: BTreeMap::new(),
            sealed_answers: None,
            errors,
        };
        wanted.look_up(app, wish.version, request).await?;
        let template = wanted.template.as_deref();
        check_scripts(&wanted.scripts, template, &mut wanted.errors);
        let asked = template.map(|template| template.settings.inputs.clone()).unwrap_or_default();
        let given: BTreeMap<_, _> = wish.inputs.iter().map(|(name, answer)| (name.clone(), answer.text())).collect();
        if is_of(request, &wanted.source)
            && let Some(sealed) = request.inputs
        {
            let (before, whole) = given_before(app, sealed, &asked).await?;
            wanted.sealed_answers = (given.is_empty() && whole).then_some(sealed);
            wanted.answers = before;
        }
        wanted.answers.extend(given);
        check_inputs(&wanted.answers, &asked, &mut wanted.errors);
        wanted.errors.extend(wish.root_password.as_ref().and_then(password_fault));
        let mut spec = request.spec.clone();
        spec.source = wanted.source.clone();
        let of_source = spec.validate().into_iter().filter(|error| error.field.starts_with("source"));
        wanted.errors.extend(of_source.map(|error| FieldProblem { field: renamed(&error.field), ..error.into() }));
        Ok(wanted)
    }

    /// The template at the version that was asked for.
    async fn look_up(&mut self, app: &App, version: Option<TemplateOf>, request: &Request) -> Result<(), Problem> {
        let Source::Template(name) = self.source.clone() else {
            if version.is_some() {
                self.errors.push(wrong("version", "is for templates", "leave it out"));
            }
            return Ok(());
        };
        let made = request.template.as_ref().filter(|made| made.name == name);
        if version != Some(TemplateOf::Current)
            && let Some(made) = made
        {
            let kept = app.catalogue.version(&made.hash).await.map_err(unread)?;
            self.template = kept.map(Arc::new);
            self.version = self.template.is_some().then(|| made.clone());
        }
        if self.template.is_none() && version == Some(TemplateOf::AsMade) {
            let problem = format!("it was not made from {name}, or that version is not kept any more");
            self.errors.push(wrong("version", &problem, "choose `current`"));
        } else if self.template.is_none() {
            // Its account's own templates, whoever asks; those of the installation are under no account.
            let account = request.account.unwrap_or(AccountId::new(Uuid::nil()));
            self.found = template_named(app, account, &name, &mut self.errors).await?;
            self.template = self.found.as_ref().and_then(|found| found.template.clone());
            self.version = self.found.as_ref().and_then(|found| found.version.clone());
        }
        Ok(())
    }

    fn sealed(
        &self,
        app: &App,
        stream: &StreamId,
        operation: OperationId,
        root_password: Option<SealedId>,
        rows: &mut Vec<Arc<dyn Rows>>,
    ) -> Result<Rebuild, Problem> {
        rows.extend(self.found.as_ref().and_then(|found| app.catalogue.keep(found)));
        let inputs = match self.sealed_answers {
            None => seal_inputs(app, stream, &self.answers, rows)?,
            sealed => sealed,
        };
        Ok(Rebuild {
            operation,
            source: self.source.clone(),
            template: self.version.clone(),
            scripts: self.scripts.clone(),
            root_password,
            inputs,
        })
    }
}

/// Whether it was made from the same template: then what was answered then still counts.
fn is_of(request: &Request, source: &Source) -> bool {
    matches!((&request.spec.source, source), (Source::Template(before), Source::Template(now)) if before == now)
}
