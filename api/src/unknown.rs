//! Requests that no route takes: the path is unknown, or it is not for that method.

use actix_web::guard;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, ResponseError as _, dev::ResourceDef};
use domain::RequestId;

use crate::described::Described;
use crate::problem::{Kind, Problem};

/// The paths there are, with their methods.
pub(crate) struct Known(Vec<(ResourceDef, String)>);

impl Known {
    pub(crate) fn of(document: &Described) -> Self {
        let paths = document.paths.iter();
        Self(paths.map(|(path, item)| (ResourceDef::new(path.as_str()), item.methods().join(", "))).collect())
    }
}

/// Paths in words that one with a name in its place fits, too: `/v1/templates/refresh` is no template.
pub(crate) struct InWords(Vec<(String, Vec<String>)>);

impl InWords {
    pub(crate) fn of(document: &Described) -> Self {
        let known = Known::of(document);
        let all = document.paths.keys().zip(&known.0);
        let beside = |path: &str| known.0.iter().filter(|(one, _)| one.is_match(path)).count() > 1;
        let own = all.filter(|(path, _)| !path.contains('{') && beside(path));
        let methods = |allowed: &str| allowed.split(", ").map(str::to_owned).collect();
        Self(own.map(|(path, (_, allowed))| (path.clone(), methods(allowed))).collect())
    }

    /// To come before the routes: methods that a path in words does not know are not those of its neighbour.
    pub(crate) fn guard(&self, config: &mut ServiceConfig) {
        for (path, methods) in &self.0 {
            let methods = methods.clone();
            let other =
                guard::fn_guard(move |context| !methods.iter().any(|method| method == context.head().method.as_str()));
            config.service(web::resource(path).guard(other).to(answer));
        }
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
