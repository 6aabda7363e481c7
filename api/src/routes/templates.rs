//! Templates: what containers can be equipped with.

use actix_web::get;
use actix_web::web::{Data, Json, Path};
use platform::catalogue::Found;

use super::own_templates::owner;
use crate::app::App;
use crate::asking::Asking;
use crate::paging::List;
use crate::problem::{Kind, Problem};
use crate::shape::template::TemplateView;
use crate::tag::Tagged;
use crate::unread::unread;

/// Templates
///
/// All of them, the broken ones too, with what is wrong with them; the account's own among them.
#[utoipa::path(tag = "templates", responses((status = 200, body = List<TemplateView>)))]
#[get("/v1/templates")]
pub(super) async fn list(app: Data<App>, asking: Asking) -> Result<Json<List<TemplateView>>, Problem> {
    let listed = app.catalogue.list().await.map_err(unread)?;
    let own = app.catalogue.own_list(owner(&asking)).await.map_err(unread)?;
    let mut items: Vec<_> = listed.iter().map(|listed| TemplateView::of(listed, None)).collect();
    // A template that came into the directory later has the name.
    let own = own.iter().filter(|own| !listed.iter().any(|listed| listed.name == own.name));
    items.extend(own.map(|found| TemplateView::of(&found.listed(), None).of_the_account()));
    items.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Json(List { items, next: None }))
}

/// A template
///
/// With its README, and everything that its author should know.
#[utoipa::path(
    tag = "templates",
    params(("name" = String, Path, description = "The template's name", example = "nginx")),
    responses(
        (status = 200, body = TemplateView),
        (status = 404, description = "There is no such template", body = Problem, content_type = "application/problem+json"),
    )
)]
#[get("/v1/templates/{name}")]
pub(super) async fn detail(
    app: Data<App>,
    asking: Asking,
    name: Path<String>,
) -> Result<Tagged<TemplateView>, Problem> {
    let found = app.catalogue.find(&name).await.map_err(unread)?;
    let view = |found: &Found| {
        TemplateView::of(&found.listed(), found.template.as_ref().map(|template| template.readme.as_str()))
    };
    let view = match found {
        Some(found) => view(&found),
        None => {
            let own = app.catalogue.own(owner(&asking), &name).await.map_err(unread)?;
            own.map(|found| view(&found).of_the_account()).ok_or_else(|| Problem::new(Kind::NotFound))?
        }
    };
    // What is wrong with a broken one is found anew each time.
    let findings = serde_json::to_value(&view.findings).map_err(Problem::internal)?;
    Ok(Tagged::new(view.version.clone().unwrap_or_default(), view).beside(&findings))
}
