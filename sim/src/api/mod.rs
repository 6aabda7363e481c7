//! The HTTPS API of a node.

mod answer;
mod asked;
mod auth;
pub(crate) mod certificate;
mod connection;
mod dispatch;
mod faults;
mod form;
mod reader;
mod routes;
mod websocket;

pub(crate) use connection::serve;
