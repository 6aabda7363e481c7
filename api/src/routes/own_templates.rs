//! Templates that an account makes through the API, beside those of the directory.

use std::collections::BTreeMap;

use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, delete, get, put};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use domain::own_templates::{OwnTemplateCommand, OwnTemplateRejection, OwnTemplates};
use domain::template::{Severity, lint};
use domain::{AccountId, Aggregate as _};
use platform::catalogue::{Files, Found, ReadTemplate, own_removed, own_rows, pack, read_files, unpack, version_of};
use platform::log::{Append, Rows};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::id::Name;
use crate::accept::not_appended;
use crate::app::App;
use crate::asking::Asking;
use crate::body::Body;
use crate::paging::wrong;
use crate::problem::{FieldProblem, Kind, Problem};
use crate::shape::template::TemplateView;
use crate::unread::unread;

/// How often it is decided again after another request was faster.
const DECISIONS: usize = 8;

#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(example = json!({ "files": {
    "template.conf": "TEMPLATE_APP=\"Greeter\"\nTEMPLATE_DESCRIPTION=\"Says hello\"\n",
    "container-configs/scripts/40-hello.sh": "#!/bin/sh\nset -eu\nlog_info hello\n",
} }))]
pub(super) struct TemplateWish {
    /// Each file's text by its path in the template, as authors have it in a directory.
    files: Option<BTreeMap<String, String>>,
    /// Or all of it as one .tar.gz in Base64, as `gantry template pack` makes it.
    packed: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TemplateFiles {
    /// Those that are text.
    #[schema(example = json!({ "template.conf": "TEMPLATE_APP=\"Greeter\"\n" }))]
    files: BTreeMap<String, String>,
    /// All of them, as one .tar.gz in Base64.
    packed: String,
}

/// Make or change a template of one's own
///
/// It is read and checked like those in the directory, and its account can make containers from it at once; other
/// accounts don't see it. Containers that were made from it keep the version they got.
#[utoipa::path(
    tag = "templates",
    params(("name" = String, Path, description = "A name that no template of the installation has", example = "greeter")),
    request_body = TemplateWish,
    responses(
        (status = 200, description = "This is what it says now", body = TemplateView),
        (status = 409, description = "The installation has a template of this name, or the account has too many", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "It is too large", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "It can't be used; each error has its file and line", body = Problem, content_type = "application/problem+json"),
    )
)]
#[put("/v1/templates/{name}")]
pub(super) async fn keep(
    app: Data<App>,
    asking: Asking,
    name: Name,
    body: Body<TemplateWish>,
) -> Result<Json<TemplateView>, Problem> {
    let name = name.0;
    let (files, errors) = files(body.read());
    let read = files.as_ref().map(|files| read_files(&name, files.clone()));
    let packed = body.read().packed.is_some();
    let found = read.as_ref().map(|read| faults(read, packed)).unwrap_or_default();
    body.fit(errors.into_iter().chain(found).collect())?;
    let (Some(files), Some(ReadTemplate { template: Some(template), findings, .. })) = (files, read) else {
        return Err(Problem::new(Kind::Invalid));
    };
    if app.catalogue.find(&name).await.map_err(unread)?.is_some() {
        let detail = "the installation has a template of this name; choose another";
        return Err(Problem::new(Kind::NotPossible).detail(detail));
    }
    let (account, version) = (owner(&asking), version_of(&template));
    let rows = own_rows(account, &template, &version, &files);
    let rows = rows.map_err(|error| Problem::new(Kind::Invalid).detail(error.to_string()))?;
    change(&app, &asking, OwnTemplateCommand::Keep { name: name.clone(), version }, rows.to_vec()).await?;
    let readme = template.readme.clone();
    let findings = findings.into_iter().chain(lint(&template)).collect();
    let found = Found::from(ReadTemplate { name, template: Some(template), findings });
    Ok(Json(TemplateView::of(&found.listed(), Some(&readme)).of_the_account()))
}

/// Remove a template of one's own
///
/// Containers that were made from it stay as they are.
#[utoipa::path(
    tag = "templates",
    params(("name" = String, Path, description = "Its name", example = "greeter")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "The account has no such template", body = Problem, content_type = "application/problem+json"),
    )
)]
#[delete("/v1/templates/{name}")]
pub(super) async fn remove(app: Data<App>, asking: Asking, name: Name) -> Result<HttpResponse, Problem> {
    let rows = vec![own_removed(owner(&asking), &name.0)];
    change(&app, &asking, OwnTemplateCommand::Remove { name: name.0 }, rows).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The files of a template of one's own
///
/// As they were given; change them and send them back.
#[utoipa::path(
    tag = "templates",
    params(("name" = String, Path, description = "Its name", example = "greeter")),
    responses(
        (status = 200, body = TemplateFiles),
        (status = 404, description = "The account has no such template", body = Problem, content_type = "application/problem+json"),
    )
)]
#[get("/v1/templates/{name}/files")]
pub(super) async fn its_files(app: Data<App>, asking: Asking, name: Name) -> Result<Json<TemplateFiles>, Problem> {
    let files = app.catalogue.own_files(owner(&asking), &name.0).await.map_err(unread)?;
    let files = files.ok_or_else(|| Problem::new(Kind::NotFound))?;
    let packed = BASE64.encode(pack(&name.0, &files).map_err(Problem::internal)?);
    let text = |(path, content): (String, Vec<u8>)| Some((path, String::from_utf8(content).ok()?));
    Ok(Json(TemplateFiles { files: files.into_iter().filter_map(text).collect(), packed }))
}

/// Whose own templates somebody has: the installation's administrators have the installation's.
pub(crate) fn owner(asking: &Asking) -> AccountId {
    asking.caller.account.unwrap_or(AccountId::new(Uuid::nil()))
}

fn files(wish: &TemplateWish) -> (Option<Files>, Vec<FieldProblem>) {
    match (&wish.files, &wish.packed) {
        (Some(files), None) => {
            (Some(files.iter().map(|(path, text)| (path.clone(), text.clone().into_bytes())).collect()), vec![])
        }
        (None, Some(packed)) => {
            let bytes = BASE64.decode(packed).map_err(|_| "is not Base64; encode the .tar.gz".to_owned());
            match bytes.and_then(|bytes| unpack(&bytes).map_err(|error| error.to_string())) {
                Ok((_, files)) => (Some(files), vec![]),
                Err(why) => (None, vec![wrong("packed", &why, "send what `gantry template pack` made")]),
            }
        }
        (Some(_), Some(_)) => (None, vec![wrong("packed", "stands beside files", "give one of the two")]),
        (None, None) => (None, vec![wrong("files", "is missing", "give the files, or a packed template")]),
    }
}

fn faults(read: &ReadTemplate, packed: bool) -> Vec<FieldProblem> {
    let errors = read.findings.iter().filter(|finding| finding.severity == Severity::Error);
    let field = |file: &str| match (packed, file) {
        (true, _) => "packed".to_owned(),
        (false, "") => "files".to_owned(),
        (false, file) => format!("files.{file}"),
    };
    let told = |finding: &domain::template::Finding| {
        let line = if finding.line > 0 { format!("line {}: ", finding.line) } else { String::new() };
        let file = if packed && !finding.file.is_empty() { format!("{}: ", finding.file) } else { String::new() };
        wrong(&field(&finding.file), &format!("{file}{line}{}", finding.problem), &finding.fix)
    };
    errors.map(told).collect()
}

async fn change(
    app: &App,
    asking: &Asking,
    command: OwnTemplateCommand,
    rows: Vec<Arc<dyn Rows>>,
) -> Result<(), Problem> {
    let mut decided = 1;
    loop {
        let loaded = app.log.load::<OwnTemplates>(owner(asking)).await.map_err(unread)?;
        let events = loaded.state.decide(command.clone(), &()).map_err(|no| match no {
            OwnTemplateRejection::Unknown => Problem::new(Kind::NotFound),
            OwnTemplateRejection::TooMany => Problem::new(Kind::NotPossible).detail(no.to_string()),
        })?;
        asking.hold_if_there(loaded.state.version(command.name()))?;
        if events.is_empty() {
            return Ok(());
        }
        let events = events.iter().map(domain::Event::encode).collect::<Result<_, _>>().map_err(Problem::internal)?;
        let stream = OwnTemplates::stream(owner(asking));
        let append = Append::new(asking.meta()).stream(stream, loaded.expected(), events);
        let append = rows.iter().cloned().fold(append, Append::with);
        match app.log.append(append).await {
            Ok(_) => return Ok(()),
            Err(error) if error.is_conflict() && decided < DECISIONS => decided += 1,
            Err(error) => return Err(not_appended(&error)),
        }
    }
}
