//! The document of this API, made from its routes.

use actix_web::App as ActixApp;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{Modify, OpenApi as _};
use utoipa_actix_web::AppExt as _;

use crate::access::table::{Needs, Rule, rule_of};
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
        (name = "drift", description = "What is on Proxmox otherwise than recorded, and what nobody has"),
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
    whole().to_pretty_json().map(|text| text + "\n")
}

pub(crate) fn whole() -> OpenApi {
    let (_, mut document) =
        ActixApp::new().into_utoipa_app().openapi(Base::openapi()).configure(routes::all).split_for_parts();
    for (path, item) in &mut document.paths.paths {
        let methods = [
            ("GET", &mut item.get),
            ("POST", &mut item.post),
            ("PUT", &mut item.put),
            ("DELETE", &mut item.delete),
            ("PATCH", &mut item.patch),
        ];
        for (method, operation) in methods.into_iter().filter_map(|(method, there)| there.as_mut().map(|o| (method, o)))
        {
            // Handlers of different things have the same names; a document's ids are for all of it.
            let tag = operation.tags.iter().flatten().next().cloned().unwrap_or_default();
            operation.operation_id = operation.operation_id.take().map(|name| format!("{tag}_{name}"));
            add_problems(method, path, operation);
        }
    }
    document
}

/// What any route may answer.
fn add_problems(method: &str, path: &str, operation: &mut Operation) {
    let rule = rule_of(method, path);
    let mut common = vec![("500", "Something went wrong on our side")];
    if rule.is_none_or(|rule| rule.needs != Needs::Nothing) {
        common.push(("401", "There is no valid token in the request"));
        common.push(("404", "There is no such thing, or it is another account's"));
        common.push(("503", "Not available right now; see Retry-After"));
    }
    if let Some(Rule { needs: Needs::Permission(permission), whose, .. }) = rule {
        common.push(("403", "You may not do this"));
        let told = serde_json::json!({ "permission": permission, "whose": whose.words() });
        operation.extensions = Some(ExtensionsBuilder::new().add("x-access", told).build());
    }
    if operation.request_body.is_some() {
        common.push(("400", "The body is no JSON object"));
        common.push(("413", "The body is too large"));
        common.push(("415", "The body is not application/json"));
    }
    let asks = operation.parameters.is_some() || operation.request_body.is_some();
    if asks && path.starts_with("/v1") {
        common.push(("422", "A field, a parameter or a header is not allowed"));
    }
    for (status, description) in common {
        operation.responses.responses.entry(status.to_owned()).or_insert_with(|| problem(description));
    }
}

fn problem(description: &str) -> RefOr<Response> {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    RefOr::T(ResponseBuilder::new().description(description).content("application/problem+json", content).build())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_document_is_this_one() {
        let place = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi/gantry.json");
        let committed = std::fs::read_to_string(place).unwrap_or_default();
        let same = committed == super::document().unwrap();
        assert!(same, "openapi/gantry.json is not what the routes say: run `cargo run -p api --example openapi`");
    }
}
