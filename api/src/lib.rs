//! Gantry over HTTP: routes, progress streams, problems, the OpenAPI document.

pub mod access;
pub mod problem;
pub mod request;
