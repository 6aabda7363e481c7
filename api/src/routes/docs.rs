//! The document and its reader, from this program alone.

use actix_web::{HttpResponse, Resource, web};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::described;

const DOCUMENT: &str = "/openapi.json";

#[must_use]
pub(crate) fn document() -> Resource {
    let text = || async { HttpResponse::Ok().content_type("application/json").body(described::TEXT) };
    web::resource(DOCUMENT).route(web::get().to(text))
}

/// `/docs/`.
#[must_use]
pub(crate) fn reader() -> SwaggerUi {
    SwaggerUi::new("/docs/{_:.*}").config(Config::new([DOCUMENT]))
}
