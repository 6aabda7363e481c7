//! A container that is gone needs no secrets: deleting the sealed rows is how they are forgotten for ever.

use domain::SealedId;
use domain::container::ContainerEvent;
use domain::{Aggregate as _, Version};
use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::context::Context;
use crate::step::{Done, Step, StepError};

pub(super) struct ForgetSecrets;

impl Step for ForgetSecrets {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            for id in sealed_for(context).await? {
                context.forget(id).await?;
            }
            Ok(Done::nothing())
        })
    }
}

/// Every sealed row that the container's events ever named.
async fn sealed_for(context: &Context) -> Result<Vec<SealedId>, StepError> {
    let stream = domain::container::Container::stream(context.container_id);
    let mut found = Vec::new();
    for recorded in context.tools.log.stream(&stream, Version(0)).await.map_err(StepError::internal)? {
        match recorded.event::<ContainerEvent>().map_err(StepError::internal)? {
            ContainerEvent::Requested(request) => found.extend(request.root_password.into_iter().chain(request.inputs)),
            ContainerEvent::Ready { credentials, .. } => found.extend(credentials),
            _ => {}
        }
    }
    Ok(found)
}
