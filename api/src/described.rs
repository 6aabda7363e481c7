//! What the document says of each path, as far as answering needs it. Read from its committed text: as a tree the whole
//! of it would take megabytes of each process that only serves it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

/// As it is committed; a test holds it to the routes.
pub(crate) const TEXT: &str = include_str!("../../openapi/gantry.json");

#[derive(Debug, Deserialize)]
pub(crate) struct Described {
    pub(crate) paths: BTreeMap<String, Path>,
    #[serde(default)]
    components: Components,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Path {
    get: Option<Get>,
    post: Option<IgnoredAny>,
    put: Option<IgnoredAny>,
    patch: Option<IgnoredAny>,
    delete: Option<IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct Get {
    responses: BTreeMap<String, Answer>,
}

#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(default)]
    content: BTreeMap<String, Content>,
}

#[derive(Debug, Deserialize)]
struct Content {
    schema: Option<Schema>,
}

#[derive(Debug, Default, Deserialize)]
struct Components {
    #[serde(default)]
    schemas: BTreeMap<String, Schema>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Schema {
    #[serde(rename = "$ref")]
    to: Option<String>,
    #[serde(default)]
    properties: BTreeMap<String, Schema>,
    #[serde(default)]
    all_of: Vec<Schema>,
    pub(crate) items: Option<Box<Schema>>,
}

impl Described {
    /// # Errors
    /// When it is no such document.
    pub(crate) fn read(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Of what a path answers to GET, when that is a thing with fields.
    pub(crate) fn answered<'a>(&'a self, path: &'a Path) -> Option<BTreeMap<&'a str, &'a Schema>> {
        let answer = path.get.as_ref()?.responses.get("200")?;
        self.fields(answer.content.get("application/json")?.schema.as_ref()?)
    }

    pub(crate) fn fields<'a>(&'a self, schema: &'a Schema) -> Option<BTreeMap<&'a str, &'a Schema>> {
        let schema = match &schema.to {
            Some(to) => self.components.schemas.get(to.rsplit('/').next()?)?,
            None => schema,
        };
        let own = schema.properties.iter().map(|(name, schema)| (name.as_str(), schema));
        let parts = schema.all_of.iter().filter_map(|part| self.fields(part)).flatten();
        let all: BTreeMap<_, _> = own.chain(parts).collect();
        (!all.is_empty()).then_some(all)
    }
}

impl Path {
    pub(crate) fn methods(&self) -> Vec<&'static str> {
        let there = [
            ("GET", self.get.is_some()),
            ("POST", self.post.is_some()),
            ("PUT", self.put.is_some()),
            ("PATCH", self.patch.is_some()),
            ("DELETE", self.delete.is_some()),
        ];
        there.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect()
    }
}
