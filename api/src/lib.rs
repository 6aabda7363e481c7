//! Gantry over HTTP: routes, progress streams, problems, the OpenAPI document.

mod accept;
pub mod access;
mod act;
mod app;
mod ask;
mod asking;
mod body;
mod bulk;
mod change;
pub mod copies;
mod copying;
mod create;
mod issue;
pub mod live;
pub mod openapi;
mod paging;
mod passwords;
mod prefer;
mod preview;
pub mod problem;
mod register;
pub mod request;
mod routes;
mod secret;
mod security;
mod serve;
pub mod shape;
mod sign_in;
pub mod stream;
mod topics;
mod unknown;
mod waiting;
mod wish;

pub use app::App;
pub use preview::Foresee;
pub use serve::{Settings, serve};
