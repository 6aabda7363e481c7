//! Lists have one shape: `items`, and `next` to go on with.

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::{FromRequest, HttpRequest};
use platform::views::{Cursor, MOST, Order, Page, Row, Sort};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use utoipa::{IntoParams, ToSchema};

use crate::problem::{FieldProblem, Kind, Problem};
use crate::sparse;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct List<T> {
    pub(crate) items: Vec<T>,
    /// Give it as `cursor` to get what follows; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// Which page; the same for every list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paging {
    /// How many at most, 1 to 500.
    #[param(minimum = 1, maximum = 500, default = 50)]
    pub(crate) limit: Option<u32>,
    /// The `next` of the page before.
    pub(crate) cursor: Option<String>,
    /// By when they were made; `-`: the newest first, as when it is left out.
    #[param(schema_with = by_creation)]
    pub(crate) sort: Option<String>,
}

impl Paging {
    /// # Errors
    /// `invalid`, when the limit is out of range, or there is no such order or cursor.
    pub(crate) fn page<R: Row>(&self) -> Result<Page, Problem> {
        let mut errors = Vec::new();
        let limit = self.limit.unwrap_or(50);
        if !(1..=MOST).contains(&limit) {
            errors.push(wrong("limit", &format!("{limit} is out of range"), &format!("choose 1 to {MOST}")));
        }
        let after = self.cursor.as_deref().map(str::parse).transpose().unwrap_or_else(|_| {
            errors.push(wrong("cursor", "is not one that a page ended with", "begin without one"));
            None
        });
        let order = order(self.sort.as_deref(), R::SORTS).unwrap_or_else(|error| {
            errors.push(error);
            Order::Newest
        });
        if errors.is_empty() && after.as_ref().is_some_and(|cursor: &Cursor| !cursor.is_of(order)) {
            errors.push(wrong("cursor", "is of a list in another order", "give the same sort, or begin without one"));
        }
        if errors.is_empty() {
            Ok(Page { limit, after, order })
        } else {
            Err(Problem::new(Kind::Invalid).fields(errors))
        }
    }
}

/// A field's name, `-` before it for the other way round; the newest first when nothing is said.
///
/// # Errors
/// When one can't sort by that.
pub(crate) fn order(sort: Option<&str>, sorts: &'static [Sort]) -> Result<Order, FieldProblem> {
    let Some(text) = sort else { return Ok(Order::Newest) };
    let (field, descending) = text.strip_prefix('-').map_or((text, false), |field| (field, true));
    match (field, sorts.iter().find(|sort| sort.field == field)) {
        (_, Some(sort)) => Ok(Order::By { sort, descending }),
        ("created_at", None) if descending => Ok(Order::Newest),
        ("created_at", None) => Ok(Order::Oldest),
        _ => {
            let fix = format!("choose one of {}", choices(sorts).join(", "));
            Err(wrong("sort", &format!("one can't sort by {text:?}"), &fix))
        }
    }
}

fn choices(sorts: &[Sort]) -> Vec<String> {
    let fields = std::iter::once("created_at").chain(sorts.iter().map(|sort| sort.field));
    fields.flat_map(|field| [format!("-{field}"), field.to_owned()]).collect()
}

/// What the document says of `sort`.
pub(crate) fn sorts<R: Row>() -> Object {
    described(R::SORTS)
}

pub(crate) fn by_creation() -> Object {
    described(&[])
}

fn described(sorts: &[Sort]) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(choices(sorts)))
        .default(Some("-created_at".into()))
        .build()
}

pub(crate) fn wrong(field: &str, problem: &str, fix: &str) -> FieldProblem {
    FieldProblem { field: field.to_owned(), problem: problem.to_owned(), fix: fix.to_owned() }
}

/// What stands after the `?`, all of it known.
#[derive(Debug)]
pub(crate) struct Search<T>(pub(crate) T);

impl<T: DeserializeOwned + 'static> FromRequest for Search<T> {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        // `fields` is looked at where the answer goes out.
        let whole = form_urlencoded::parse(request.query_string().as_bytes());
        let sparse = request.method() == Method::GET;
        let own = whole.filter(|(name, _)| !(sparse && name == sparse::NAME));
        let own = form_urlencoded::Serializer::new(String::new()).extend_pairs(own).finish();
        let pairs = form_urlencoded::parse(own.as_bytes());
        let read = serde_path_to_error::deserialize(serde_urlencoded::Deserializer::new(pairs)).map_err(|error| {
            let words = error.inner().to_string();
            let unknown = words.strip_prefix("unknown field `").and_then(|rest| rest.split('`').next());
            let path = error.path().to_string();
            let field = unknown.map_or(path.as_str(), |name| name);
            let field = if field == "." { "query" } else { field };
            Problem::new(Kind::Invalid).fields(vec![wrong(field, &words, "see /docs for what one can ask by")])
        });
        std::future::ready(read.map(Self))
    }
}

/// Values with commas between, each known.
///
/// # Errors
/// `invalid`, naming the one that is not.
pub(crate) fn words<T: DeserializeOwned>(field: &str, text: Option<&str>) -> Result<Option<Vec<T>>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let parts = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    let read = parts.map(|word| {
        serde_json::from_value(word.into()).map_err(|error| {
            Problem::new(Kind::Invalid).fields(vec![wrong(field, &error.to_string(), "see /docs for the values")])
        })
    });
    read.collect::<Result<Vec<T>, _>>().map(|words| Some(words).filter(|words| !words.is_empty()))
}
