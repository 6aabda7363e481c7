//! Another guest in place of the one there is: what it is made from. All else stays as it is.

use serde::{Deserialize, Serialize};

use super::{Request, Scripts, Source, TemplateVersion};
use crate::{OperationId, SealedId};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rebuild {
    pub operation: OperationId,
    pub source: Source,
    /// None for a bare image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<TemplateVersion>,
    #[serde(default)]
    pub scripts: Scripts,
    /// The one that it has, or another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_password: Option<SealedId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<SealedId>,
}

impl Rebuild {
    /// The container as it is to be.
    #[must_use]
    pub fn of(&self, request: &Request) -> Request {
        let mut wanted = request.clone();
        wanted.spec.source = self.source.clone();
        wanted.spec.scripts = self.scripts.clone();
        wanted.operation = self.operation;
        wanted.template = self.template.clone();
        wanted.root_password = self.root_password;
        wanted.inputs = self.inputs;
        wanted
    }

    pub fn sealed(&self) -> impl Iterator<Item = SealedId> + use<> {
        self.root_password.into_iter().chain(self.inputs)
    }
}
