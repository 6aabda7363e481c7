//! Headers that are known before the answer is, and which it bears whatever it becomes.

use std::cell::RefCell;
use std::rc::Rc;

use actix_web::HttpResponse;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::access::{Access, is_secure};
use crate::cors::{self, Page};
use crate::security;

#[derive(Clone)]
pub(crate) struct Borne(Rc<Inner>);

struct Inner {
    path: String,
    secure: bool,
    /// Whether there are pages that may ask, and which of them does.
    pages: bool,
    page: Option<Page>,
    more: RefCell<Vec<(HeaderName, HeaderValue)>>,
}

impl Borne {
    pub(crate) fn of(request: &ServiceRequest, access: &Access) -> Self {
        Self(Rc::new(Inner {
            path: request.path().to_owned(),
            secure: is_secure(request.request(), access.trusted()),
            pages: !access.pages().is_empty(),
            page: Page::of(request.headers(), access.pages()),
            more: RefCell::default(),
        }))
    }

    pub(crate) fn add(&self, name: &'static str, value: HeaderValue) {
        self.0.more.borrow_mut().push((HeaderName::from_static(name), value));
    }

    /// The answer to a browser that asks whether its page may ask.
    pub(crate) fn preflight(&self, request: &ServiceRequest) -> Option<HttpResponse> {
        self.0.page.as_ref()?;
        let mut answer = cors::preflight(request.method(), request.headers())?;
        self.tell(answer.headers_mut());
        Some(answer)
    }

    pub(crate) fn tell(&self, headers: &mut HeaderMap) {
        for (name, value) in self.0.more.borrow_mut().drain(..) {
            headers.insert(name, value);
        }
        security::add(headers, &self.0.path, self.0.secure);
        if let Some(page) = &self.0.page {
            page.tell(headers);
        }
        if self.0.pages {
            cors::vary(headers);
        }
    }
}
