//! The document and its reader, from this program alone.

use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::SwaggerUi;

/// `/docs/` and `/openapi.json`.
#[must_use]
pub(crate) fn reader(document: OpenApi) -> SwaggerUi {
    SwaggerUi::new("/docs/{_:.*}").url("/openapi.json", document)
}
