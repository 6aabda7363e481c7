use std::collections::BTreeMap;

/// A call that was not done, with the real one's status and words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// Without the line feed that the body adds.
    pub(crate) message: String,
    pub(crate) errors: BTreeMap<String, String>,
}

impl Refusal {
    /// Perl's `die`.
    pub(crate) fn died(message: impl Into<String>) -> Self {
        Self { status: 500, message: message.into(), errors: BTreeMap::new() }
    }

    pub(crate) fn parameters(errors: BTreeMap<String, String>) -> Self {
        Self { status: 400, message: "Parameter verification failed.".to_owned(), errors }
    }

    pub(crate) fn parameter(name: &str, error: impl Into<String>) -> Self {
        Self::parameters(BTreeMap::from([(name.to_owned(), error.into())]))
    }

    pub(crate) fn forbidden(what: &str) -> Self {
        let message = if what.is_empty() {
            "Permission check failed".to_owned()
        } else {
            format!("Permission check failed ({what})")
        };
        Self { status: 403, message, errors: BTreeMap::new() }
    }

    pub(crate) fn with(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), errors: BTreeMap::new() }
    }
}
