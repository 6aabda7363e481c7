//! A small page for links that people get: it sends what stands behind the `#` with what they fill in.

use actix_web::{HttpResponse, Resource, web};

const PAGE: &str = include_str!("page.html");
const SCRIPT: &str = include_str!("page.js");
const STYLE: &str = include_str!("page.css");

/// `/welcome/setup`, `/welcome/invitation`, `/welcome/password`, and what they are made of.
pub(crate) fn pages() -> Resource {
    web::resource("/welcome/{what:setup|invitation|password|page.js|page.css}").route(web::get().to(page))
}

async fn page(what: web::Path<String>) -> HttpResponse {
    let (kind, text) = match what.as_str() {
        "page.js" => ("text/javascript; charset=utf-8", SCRIPT),
        "page.css" => ("text/css; charset=utf-8", STYLE),
        _ => ("text/html; charset=utf-8", PAGE),
    };
    HttpResponse::Ok().content_type(kind).body(text)
}
