//! A request that goes on as an operation: what it carries, how it is answered, and what the document says of both.

use std::collections::BTreeMap;
use std::future::{Ready, ready};
use std::marker::PhantomData;

use actix_web::body::BoxBody;
use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder};
use domain::ContainerId;
use domain::operation::Command;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required, Response, ResponseBuilder};
use utoipa::{IntoParams, IntoResponses, ToSchema};

use crate::accept::{self, Taken};
use crate::act::{self, For};
use crate::app::App;
use crate::asking::Asking;
use crate::prefer::Wait;
use crate::preview;
use crate::problem::Problem;
use crate::shape::operation::OperationView;

pub(super) struct Asked {
    pub(super) app: Data<App>,
    pub(super) asking: Asking,
    pub(super) wait: Wait,
}

impl Asked {
    /// Has the command carried out on a container that is there.
    ///
    /// # Errors
    /// Why it was not accepted.
    pub(super) async fn of(self, container: ContainerId, which: For, command: Command) -> Result<Accepted, Problem> {
        let taken = act::on(&self.app, &self.asking, container, which, command).await?;
        self.answer(taken, Value::Null).await
    }

    /// Has a copy made, or tells what that would do.
    ///
    /// # Errors
    /// Why it was not accepted.
    pub(super) async fn copy(self, id: ContainerId, command: Command, planning: Planning) -> Result<Accepted, Problem> {
        if planning.dry_run {
            return Ok(Accepted::shown(&preview::of_copy(&self.app, id, &command).await?));
        }
        self.of(id, For::Ready, command).await
    }

    /// With `more` beside the operation.
    ///
    /// # Errors
    /// When the log can't be read.
    pub(super) async fn answer<T>(self, taken: Taken, more: Value) -> Result<Accepted<T>, Problem> {
        let response = accept::answer(&self.app, taken, self.wait, more).await?;
        Ok(Accepted { response, shape: PhantomData })
    }
}

impl FromRequest for Asked {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let Ok(wait) = Wait::from_request(request, payload).into_inner();
        let app = request.app_data::<Data<App>>().cloned();
        let app = app.ok_or_else(|| Problem::internal("a route without the application"));
        let asking = Asking::from_request(request, payload).into_inner();
        ready(app.and_then(|app| Ok(Self { app, asking: asking?, wait })))
    }
}

impl IntoParams for Asked {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let header = |name: &str, description: &str| {
            let text = ObjectBuilder::new().schema_type(Type::String).build();
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Header)
                .required(Required::False)
                .description(Some(description))
                .schema(Some(text))
                .build()
        };
        vec![
            header("Idempotency-Key", "The same key with the same request gets the same answer, for a day"),
            header("Prefer", "`wait=N`: answer after N seconds, or as soon as it has ended"),
        ]
    }
}

/// 202 with the operation, or 200 when the caller waited and it has ended.
pub(super) struct Accepted<T = OperationView> {
    response: HttpResponse,
    shape: PhantomData<T>,
}

impl<T> Accepted<T> {
    /// No operation was accepted: what would happen, or what is to be later.
    pub(super) fn shown(what: &impl Serialize) -> Self {
        Self { response: HttpResponse::Ok().json(what), shape: PhantomData }
    }
}

impl<T> Responder for Accepted<T> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.response
    }
}

impl<T: ToSchema> IntoResponses for Accepted<T> {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let content = |schema: &str| ContentBuilder::new().schema(Some(Ref::from_schema_name(schema))).build();
        let shape = |description: &str| {
            ResponseBuilder::new().description(description).content("application/json", content(&T::name()))
        };
        let place = HeaderBuilder::new()
            .description(Some("The operation"))
            .schema(Some(ObjectBuilder::new().schema_type(Type::String).build()));
        let busy = ResponseBuilder::new()
            .description("Another operation is at work on it, or it is not in a state for this")
            .content("application/problem+json", content("Problem"));
        [
            ("202", shape("Accepted").header("Location", place.build())),
            ("200", shape("It has ended while you waited")),
            ("409", busy),
        ]
        .into_iter()
        .map(|(status, response)| (status.to_owned(), RefOr::T(response.build())))
        .collect()
    }
}

/// For what stops a container and may start it again.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Afterwards {
    /// Whether it runs afterwards; left out: as before.
    pub(super) start: Option<bool>,
}

/// For what can be told before it is done.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Planning {
    /// Tell what would happen, what stands in its way and what is left of the quota; nothing is done.
    #[serde(default)]
    pub(super) dry_run: bool,
}
