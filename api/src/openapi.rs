//! The document of this API, made from its routes.

use actix_web::App as ActixApp;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, OpenApi};
use utoipa::{Modify, OpenApi as _};
use utoipa_actix_web::AppExt as _;

use crate::contract;
use crate::problem::{FieldProblem, Problem};
use crate::routes;
use crate::shape::operation::{Created, OperationView};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Gantry",
        description = "The control plane in front of Proxmox VE. Commands are accepted at once (202) and go on as operations, which can be watched live.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    servers((url = "/")),
    security(("token" = [])),
    components(schemas(Problem, FieldProblem, Created, OperationView)),
    tags(
        (name = "containers", description = "LXC containers, from the wish to the end"),
        (name = "backups", description = "Copies of a container on a storage for backups; they outlive it"),
        (name = "schedules", description = "Backups that are made by themselves, and which of them are kept"),
        (name = "snapshots", description = "Copies of a container to go back to, on its own storage"),
        (name = "drift", description = "What is on Proxmox otherwise than recorded; adopting and releasing"),
        (name = "orphans", description = "Guests with our marker that no container has"),
        (name = "operations", description = "What was asked and how it goes"),
        (name = "bulk", description = "The same for many containers"),
        (name = "hosts", description = "Proxmox VE hosts"),
        (name = "templates", description = "How containers are equipped"),
        (name = "accounts", description = "Customers and teams, their members and quotas"),
        (name = "session", description = "Signing in and out"),
        (name = "invitations", description = "Asking people in"),
        (name = "users", description = "People who sign in"),
        (name = "api-keys", description = "What programs call with"),
        (name = "audit", description = "Who did what"),
        (name = "about", description = "This process and this API"),
    ),
    modifiers(&Token)
)]
struct Base;

struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An API key, the access token of a session, or the token that `gantry token new` made"));
        let components = document.components.get_or_insert_with(Components::new);
        components.add_security_scheme("token", SecurityScheme::Http(scheme.build()));
    }
}

/// As it is committed in `openapi/gantry.json`.
///
/// # Errors
/// When it can't be written as JSON.
pub fn document() -> Result<String, serde_json::Error> {
    let (_, mut document) = ActixApp::new()
        .into_utoipa_app()
        .openapi(Base::openapi())
        .configure(|taker| routes::all(taker))
        .split_for_parts();
    contract::complete(&mut document)?;
    document.to_pretty_json().map(|text| text + "\n")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_document_is_this_one() {
        let same = crate::described::TEXT == super::document().unwrap();
        assert!(same, "openapi/gantry.json is not what the routes say: run `cargo run -p api --example openapi`");
    }
}
