//! What holds for every route alike, written into the document once and not at each of them.

mod answers;
mod examples;
pub mod page;
mod parameters;
mod schemas;

use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{Components, OpenApi};

use crate::described::Described;
use crate::sparse::Shapes;
use examples::Schemas;

/// Completes what the routes say of themselves.
///
/// # Errors
/// When it can't be written as JSON.
pub(crate) fn complete(document: &mut OpenApi) -> Result<(), serde_json::Error> {
    let shapes = Shapes::of(&Described::read(&document.to_json()?)?);
    schemas::mend(document);
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            // Handlers of different things have the same names; a document's ids are for all of it.
            let tag = operation.tags.iter().flatten().next().cloned().unwrap_or_default();
            operation.operation_id = operation.operation_id.take().map(|name| format!("{tag}_{name}"));
            parameters::add(method, path, operation, &shapes);
            answers::add(method, path, operation);
        }
    }
    let schemas = Schemas::of(document.components.as_ref());
    document.paths.paths.values_mut().flat_map(operations).for_each(|(_, operation)| schemas.show(operation));
    let components = document.components.get_or_insert_with(Components::new);
    parameters::components(components);
    answers::components(components);
    Ok(())
}

/// Those that a path has, each by its method.
pub(crate) fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    [
        ("GET", &mut item.get),
        ("POST", &mut item.post),
        ("PUT", &mut item.put),
        ("PATCH", &mut item.patch),
        ("DELETE", &mut item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| operation.as_mut().map(|operation| (method, operation)))
}
