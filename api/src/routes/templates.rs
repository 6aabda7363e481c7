//! Templates: what containers can be equipped with.

use actix_web::get;
use actix_web::web::{Data, Json, Path};

use crate::app::App;
use crate::paging::List;
use crate::problem::{Kind, Problem};
use crate::shape::template::TemplateView;

/// Templates
///
/// All of them, the broken ones too, with what is wrong with them.
#[utoipa::path(tag = "templates", responses((status = 200, body = List<TemplateView>)))]
#[get("/v1/templates")]
pub(super) async fn list(app: Data<App>) -> Result<Json<List<TemplateView>>, Problem> {
    let found = app.catalogue.list().await.map_err(Problem::internal)?;
    Ok(Json(List { items: found.iter().map(|found| TemplateView::of(found, false)).collect(), next: None }))
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
pub(super) async fn detail(app: Data<App>, name: Path<String>) -> Result<Json<TemplateView>, Problem> {
    let found = app.catalogue.find(&name).await.map_err(Problem::internal)?;
    let found = found.ok_or_else(|| Problem::new(Kind::NotFound))?;
    Ok(Json(TemplateView::of(&found, true)))
}
