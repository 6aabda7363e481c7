//! What the types say less exactly than they are read and written.

use utoipa::openapi::schema::{ArrayItems, KnownFormat, Schema, SchemaFormat};
use utoipa::openapi::{Components, OpenApi, Ref, RefOr};

pub(super) fn mend(document: &mut OpenApi) {
    let Some(components) = &mut document.components else { return };
    lists_by_name(components);
    for schema in components.schemas.values_mut() {
        each(schema, &mut natural);
    }
    for item in document.paths.paths.values_mut() {
        for (_, operation) in super::operations(item) {
            for parameter in operation.parameters.iter_mut().flatten() {
                if let RefOr::T(parameter) = parameter
                    && let Some(schema) = &mut parameter.schema
                {
                    each(schema, &mut natural);
                }
            }
        }
    }
}

/// A natural number of 32 bits does not fit into `int32`, which has a sign.
fn natural(schema: &mut Schema) {
    if let Schema::Object(number) = schema
        && number.format == Some(SchemaFormat::KnownFormat(KnownFormat::Int32))
        && number.minimum.is_some()
    {
        number.format = Some(SchemaFormat::KnownFormat(KnownFormat::Int64));
    }
}

/// The items of a list are those of their name, not a copy of it.
fn lists_by_name(components: &mut Components) {
    let names: Vec<String> =
        components.schemas.keys().filter_map(|name| name.strip_prefix("List_")).map(str::to_owned).collect();
    for name in names {
        let Some(RefOr::T(Schema::Object(list))) = components.schemas.get_mut(&format!("List_{name}")) else {
            continue;
        };
        let Some(RefOr::T(Schema::Array(items))) = list.properties.get_mut("items") else { continue };
        let reference = RefOr::Ref(Ref::from_schema_name(&name));
        let before = std::mem::replace(&mut items.items, ArrayItems::RefOrSchema(Box::new(reference)));
        if let ArrayItems::RefOrSchema(item) = before {
            components.schemas.entry(name).or_insert(*item);
        }
    }
}

fn each(schema: &mut RefOr<Schema>, change: &mut impl FnMut(&mut Schema)) {
    let RefOr::T(schema) = schema else { return };
    change(schema);
    match schema {
        Schema::Object(object) => object.properties.values_mut().for_each(|inner| each(inner, change)),
        Schema::Array(array) => {
            if let ArrayItems::RefOrSchema(item) = &mut array.items {
                each(item, change);
            }
        }
        Schema::OneOf(one) => one.items.iter_mut().for_each(|inner| each(inner, change)),
        Schema::AllOf(all) => all.items.iter_mut().for_each(|inner| each(inner, change)),
        Schema::AnyOf(any) => any.items.iter_mut().for_each(|inner| each(inner, change)),
        _ => {}
    }
}
