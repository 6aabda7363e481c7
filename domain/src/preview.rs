//! What would happen if it were asked for: nothing of it is done.

use std::collections::BTreeMap;

use crate::container::{Change, ContainerSpec, Guest};
use crate::placement::{Chosen, Considered};
use crate::template::{Take, Template};
use crate::{ContainerId, FieldError};

/// What somebody would ask for.
#[derive(Debug, Clone, PartialEq)]
pub enum Wish {
    Create {
        spec: Box<ContainerSpec>,
        /// The OS image that the template or the wish names, or its beginning.
        image: String,
    },
    Delete {
        container: ContainerId,
        guest: Option<Guest>,
        purge: bool,
        keep_unreferenced: bool,
    },
    Resize {
        guest: Guest,
        change: Change,
    },
    Rebuild {
        guest: Guest,
        /// As it is to be.
        spec: Box<ContainerSpec>,
        image: String,
        backup_first: bool,
    },
    Update {
        guest: Guest,
        from: Box<Template>,
        to: Box<Template>,
        take: Take,
    },
}

/// A call of Proxmox to come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub method: &'static str,
    pub path: String,
    /// Those that matter; never a secret.
    pub parameters: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preview {
    pub chosen: Option<Chosen>,
    pub considered: Vec<Considered>,
    pub calls: Vec<Call>,
    /// What would stand in the way.
    pub conflicts: Vec<FieldError>,
    /// What is well to know and stands in nobody's way.
    pub notes: Vec<String>,
}

impl Call {
    #[must_use]
    pub fn new(method: &'static str, path: String) -> Self {
        Self { method, path, parameters: BTreeMap::new() }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.parameters.insert(name.to_owned(), value.to_string());
        self
    }
}

impl Preview {
    pub fn conflict(&mut self, field: &str, problem: impl Into<String>, fix: &str) {
        self.conflicts.push(FieldError { field: field.to_owned(), problem: problem.into(), fix: fix.to_owned() });
    }
}
