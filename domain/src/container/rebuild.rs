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

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::Aggregate as _;
    use crate::container::{Container, ContainerCommand as C, ContainerEvent as E, Lifecycle};
    use crate::operation::Failure;

    fn rebuild(number: u128) -> Box<Rebuild> {
        let operation = OperationId::new(Uuid::from_u128(number));
        let source = Source::Template("nginx".into());
        Box::new(Rebuild {
            operation,
            source,
            template: None,
            scripts: Scripts::All,
            root_password: None,
            inputs: None,
        })
    }

    /// It takes its place in the quota from the first one to the last.
    #[test]
    fn a_failed_one_stays_one_while_others_are_accepted_and_come_to_nothing() {
        let failed = || Failure::new("cut-short", "It was called off", "its old guest is gone");
        let so_far = [
            E::Ready { credentials: Vec::new(), summary: serde_json::Value::Null },
            E::RebuildAccepted(rebuild(1)),
            E::RebuildBegun { operation: rebuild(1).operation },
            E::GuestRemoved,
            E::CreateFailed { error: failed() },
        ];
        let mut container = so_far.iter().fold(Container::default(), Container::evolve);
        for number in 2..4 {
            let accepted = container.decide(C::AcceptRebuild(rebuild(number)), &()).unwrap();
            assert_eq!(accepted, [E::RebuildAccepted(rebuild(number))]);
            container = accepted.iter().fold(container, Container::evolve);
            assert!(container.lifecycle() == Lifecycle::Failed && container.is_rebuilt());
        }
    }
}
