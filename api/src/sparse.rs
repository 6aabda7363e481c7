//! `fields=id,hostname`: only these of an answer; on every route that answers with a thing or a list of things.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::body::{self, BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::middleware::Next;
use actix_web::web;
use serde_json::{Map, Value};

use crate::described::Described;
use crate::paging::wrong;
use crate::problem::{Kind, Problem};

pub(crate) const NAME: &str = "fields";

/// Of each path that can be read sparsely, the fields there are; in lists those of their items.
#[derive(Debug, Default)]
pub(crate) struct Shapes(BTreeMap<String, Shape>);

#[derive(Debug)]
struct Shape {
    fields: BTreeSet<String>,
    is_list: bool,
}

impl Shapes {
    pub(crate) fn of(document: &Described) -> Self {
        let shapes = document.paths.iter().filter(|(path, _)| path.starts_with("/v1")).filter_map(|(path, item)| {
            let own = document.answered(item)?;
            let items = own.get("items").and_then(|items| document.fields(items.items.as_deref()?));
            let is_list = items.is_some();
            let fields = items.unwrap_or(own).into_keys().map(str::to_owned).collect();
            Some((path.clone(), Shape { fields, is_list }))
        });
        Self(shapes.collect())
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    /// What is known of the path, when it was asked for some fields only.
    fn asked(&self, path: &str, query: &str) -> Option<Result<(BTreeSet<String>, bool), Problem>> {
        let shape = self.0.get(path)?;
        let asked: Vec<String> = form_urlencoded::parse(query.as_bytes())
            .filter(|(name, _)| name == NAME)
            .flat_map(|(_, value)| value.split(',').map(|one| one.trim().to_owned()).collect::<Vec<_>>())
            .filter(|one| !one.is_empty())
            .collect();
        if asked.is_empty() {
            return None;
        }
        let unknown = asked.iter().find(|one| !shape.fields.contains(*one));
        Some(match unknown {
            None => Ok((asked.into_iter().collect(), shape.is_list)),
            Some(unknown) => {
                let known = shape.fields.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
                let problem = format!("there is no field {unknown:?}");
                Err(Problem::new(Kind::Invalid).fields(vec![wrong(NAME, &problem, &format!("choose of {known}"))]))
            }
        })
    }
}

/// Leaves out of an answer what was not asked for.
///
/// # Errors
/// `invalid` for fields that there are not.
pub(crate) async fn sparsely(
    shapes: web::Data<Shapes>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody, BoxBody>>, actix_web::Error> {
    let asked = match request.match_pattern() {
        Some(path) if request.method() == actix_web::http::Method::GET => shapes.asked(&path, request.query_string()),
        _ => None,
    };
    let asked = asked.transpose()?;
    let answer = next.call(request).await?;
    let is_json = answer.headers().get(CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    let Some((fields, is_list)) = asked.filter(|_| is_json && answer.status() == StatusCode::OK) else {
        return Ok(answer.map_into_left_body());
    };
    let (request, answer) = answer.into_parts();
    let (mut answer, whole) = answer.into_parts();
    let whole = body::to_bytes(whole).await.map_err(|_| Problem::internal("an answer could not be read"))?;
    let mut tree: Value = serde_json::from_slice(&whole).map_err(Problem::internal)?;
    let things = match (is_list, &mut tree) {
        (true, Value::Object(list)) => {
            list.get_mut("items").and_then(Value::as_array_mut).map(|items| items.iter_mut())
        }
        _ => None,
    };
    match things {
        Some(items) => items.filter_map(Value::as_object_mut).for_each(|item| keep(item, &fields)),
        None => tree.as_object_mut().into_iter().for_each(|thing| keep(thing, &fields)),
    }
    let text = serde_json::to_vec(&tree).map_err(Problem::internal)?;
    answer.extensions_mut().clear();
    Ok(ServiceResponse::new(request, answer.set_body(BoxBody::new(text))).map_into_right_body())
}

fn keep(thing: &mut Map<String, Value>, fields: &BTreeSet<String>) {
    thing.retain(|name, _| fields.contains(name));
}
