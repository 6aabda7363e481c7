//! What is wrong with a field, and what to do about it.

use std::fmt;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// Where, as a path: `network.ipv4.address`.
    pub field: String,
    pub problem: String,
    pub fix: String,
}

pub(crate) fn wrong(field: impl Into<String>, problem: impl Into<String>, fix: impl Into<String>) -> FieldError {
    FieldError { field: field.into(), problem: problem.into(), fix: fix.into() }
}

/// All of them in one line.
pub(crate) fn list(errors: &[FieldError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.field, self.problem, self.fix)
    }
}
