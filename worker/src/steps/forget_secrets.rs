//! A container that is gone needs no secrets: deleting the sealed rows is how they are forgotten for ever.

use domain::container::{Container, ContainerEvent};
use domain::operation::{Operation, OperationEvent};
use domain::pipeline::StepName;
use domain::{Aggregate, ContainerId, SealedId, Version};
use futures_util::future::BoxFuture;
use platform::log::{Log, LogError};
use serde_json::Value;

use crate::context::Context;
use crate::step::{Done, Step, StepError};

pub(super) struct ForgetSecrets;

impl Step for ForgetSecrets {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let sealed = sealed_for(&context.tools.log, context.container_id).await.map_err(StepError::internal)?;
            for id in sealed {
                context.forget(id).await?;
            }
            Ok(Done::nothing())
        })
    }
}

/// Every sealed row that the events of the container and of what made it ever named. A create that failed and was kept
/// has credentials which the container's own events do not know.
pub(crate) async fn sealed_for(log: &Log, container: ContainerId) -> Result<Vec<SealedId>, LogError> {
    let mut found = Vec::new();
    let mut made_by = Vec::new();
    for event in events::<Container>(log, container).await? {
        match event {
            ContainerEvent::Requested(request) => {
                made_by.push(request.operation);
                found.extend(request.root_password.into_iter().chain(request.inputs));
            }
            ContainerEvent::RebuildAccepted(rebuild) => {
                made_by.push(rebuild.operation);
                found.extend(rebuild.sealed());
            }
            ContainerEvent::RootPasswordGiven { password } => found.push(password),
            ContainerEvent::AnswersGiven { answers } => found.push(answers),
            ContainerEvent::Ready { credentials, .. } | ContainerEvent::TemplateApplied { credentials, .. } => {
                found.extend(credentials);
            }
            _ => {}
        }
    }
    for operation in made_by {
        for event in events::<Operation>(log, operation).await? {
            if let OperationEvent::StepSucceeded { step: StepName::CollectCredentials, fact } = event {
                found.extend(serde_json::from_value::<Vec<SealedId>>(fact).unwrap_or_default());
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

async fn events<A: Aggregate>(log: &Log, id: A::Id) -> Result<Vec<A::Event>, LogError> {
    let read =
        |one: &domain::Recorded| one.event().map_err(|source| LogError::Event { position: one.position, source });
    log.stream(&A::stream(id), Version(0)).await?.iter().map(read).collect()
}
