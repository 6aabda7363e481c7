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

/// All kinds of problems
///
/// With what to do about each, for people.
#[utoipa::path(
    tag = "about",
    security(()),
    responses((status = 200, description = "The page", content_type = "text/html", body = String)),
)]
#[get("/problems")]
pub(super) async fn all() -> HttpResponse {
    let rows: String = Kind::ALL
        .into_iter()
        .map(|kind| {
            let (slug, status, title, _) = kind.row();
            format!("<li><a href=\"/problems/{slug}\">{title}</a> (<code>{slug}</code>, status {status})</li>")
        })
        .collect();
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Problems</title><h1>Problems</h1><ul>{rows}</ul></html>"
    );
    HttpResponse::Ok().content_type("text/html; charset=utf-8").body(html)
}
