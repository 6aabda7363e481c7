//! What a problem's `type` leads to: what it means and what to do about it.

use actix_web::web::Path;
use actix_web::{HttpResponse, get};

use crate::problem::{Kind, Problem};

/// A kind of problem
///
/// What it means and what to do about it, for people.
#[utoipa::path(
    tag = "about",
    security(()),
    params(("slug" = String, Path, description = "The kind's name", example = "busy")),
    responses(
        (status = 200, description = "The page", content_type = "text/html", body = String),
        (status = 404, description = "There is no such kind", body = Problem, content_type = "application/problem+json"),
    )
)]
#[get("/problems/{slug}")]
pub(super) async fn page(slug: Path<String>) -> Result<HttpResponse, Problem> {
    let kind = Kind::ALL.into_iter().find(|kind| kind.slug() == *slug).ok_or_else(|| Problem::new(Kind::NotFound))?;
    let (slug, status, title, remedy) = kind.row();
    let remedy = remedy.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\
         <h1>{title}</h1><p><code>/problems/{slug}</code>, status {status}</p><p>{remedy}</p></html>"
    );
    Ok(HttpResponse::Ok().content_type("text/html; charset=utf-8").body(html))
}
