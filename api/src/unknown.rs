//! Requests that no route takes: the path is unknown, or it is not for that method.

use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::web::Data;
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, ResponseError as _, dev::ResourceDef};
use domain::RequestId;
use utoipa::openapi::OpenApi;

use crate::problem::{Kind, Problem};

/// The paths there are, with their methods.
pub(crate) struct Known(Vec<(ResourceDef, String)>);

impl Known {
    pub(crate) fn of(document: &OpenApi) -> Self {
        let paths = document.paths.paths.iter().map(|(path, item)| {
            let methods = [
                ("GET", &item.get),
                ("POST", &item.post),
                ("PUT", &item.put),
                ("PATCH", &item.patch),
                ("DELETE", &item.delete),
            ];
            let allowed: Vec<&str> =
                methods.iter().filter(|(_, there)| there.is_some()).map(|(name, _)| *name).collect();
            (ResourceDef::new(path.as_str()), allowed.join(", "))
        });
        Self(paths.collect())
    }
}

pub(crate) async fn answer(known: Data<Known>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let Some((_, allowed)) = known.0.iter().find(|(path, _)| path.is_match(request.path())) else {
        return Err(Problem::new(Kind::NotFound).detail(format!("there is nothing at {}", request.path())));
    };
    let problem = Problem::new(Kind::MethodNotAllowed).detail(format!("this path takes {allowed}"));
    let id = request.extensions().get::<RequestId>().copied();
    let mut response = match id {
        Some(id) => problem.for_request(id).error_response(),
        None => problem.error_response(),
    };
    if let Ok(value) = HeaderValue::from_str(allowed) {
        response.headers_mut().insert(ALLOW, value);
    }
    Ok(response)
}
