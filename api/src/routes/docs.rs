//! The document and its reader, from this program alone.

use actix_web::web::Bytes;
use actix_web::{HttpResponse, Resource, web};
use utoipa_swagger_ui::{Config, SwaggerUi};

const DOCUMENT: &str = "/openapi.json";

/// Written once, for all who ask: as a tree each worker would keep some megabytes of it.
#[must_use]
pub(crate) fn document(text: Bytes) -> Resource {
    web::resource(DOCUMENT).route(web::get().to(move || {
        let text = text.clone();
        async move { HttpResponse::Ok().content_type("application/json").body(text) }
    }))
}

/// `/docs/`.
#[must_use]
pub(crate) fn reader() -> SwaggerUi {
    SwaggerUi::new("/docs/{_:.*}").config(Config::new([DOCUMENT]))
}
