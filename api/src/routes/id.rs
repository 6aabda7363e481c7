//! The `{id}` of a path.

use std::future::{Ready, ready};
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use domain::{BulkId, ContainerId, HostId, OperationId};
use utoipa::IntoParams;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};

use crate::problem::{Kind, Problem};

pub(super) struct Id<T>(pub(super) T);

impl<T: FromStr> FromRequest for Id<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        // What is no id names nothing.
        let id = request.match_info().get("id").and_then(|text| text.parse().ok());
        ready(id.map(Self).ok_or_else(|| Problem::new(Kind::NotFound)))
    }
}

/// What an id is the id of.
pub(super) trait Named {
    const WHAT: &'static str;
}

impl Named for ContainerId {
    const WHAT: &'static str = "The container's id";
}

impl Named for OperationId {
    const WHAT: &'static str = "The operation's id";
}

impl Named for HostId {
    const WHAT: &'static str = "The host's id";
}

impl Named for BulkId {
    const WHAT: &'static str = "The id of the request for many";
}

impl<T: Named> IntoParams for Id<T> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let uuid = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
            .build();
        let id = ParameterBuilder::new()
            .name("id")
            .parameter_in(ParameterIn::Path)
            .required(Required::True)
            .description(Some(T::WHAT))
            .schema(Some(uuid));
        vec![id.build()]
    }
}

/// The `{name}` of a path.
pub(super) struct Name(pub(super) String);

impl FromRequest for Name {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let name = request.match_info().get("name").map(|text| Self(text.to_owned()));
        ready(name.ok_or_else(|| Problem::new(Kind::NotFound)))
    }
}
