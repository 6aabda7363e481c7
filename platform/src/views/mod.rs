//! Read models: tables made from the log, in the append's transaction, that can be dropped and replayed.

mod view;

pub use view::{Table, View, ViewError};
