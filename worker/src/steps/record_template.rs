//! Says in the container's stream that its template was applied, and at which version.

use domain::SealedId;
use domain::container::ContainerCommand;
use domain::operation::{Command, Failure};
use domain::pipeline::StepName;
use domain::template::FileUpdate;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use crate::context::Context;
use crate::step::{Done, Step, StepError};

pub(super) struct RecordTemplate;

impl Step for RecordTemplate {
    fn act<'a>(&'a self, context: &'a Context, _: &'a Value) -> BoxFuture<'a, Result<Done, StepError>> {
        Box::pin(async {
            let has = context.container().await?.state.request().and_then(|request| request.template.clone());
            let Some(to) = context.wanted_version().await? else {
                let detail = "the container is made from a bare image";
                return Err(StepError::last(Failure::new("no-template", "There is no template to apply", detail)));
            };
            let (from, answers) = match context.operation.accepted().map(|accepted| &accepted.command) {
                Some(Command::UpdateContainer { from, answers, .. }) => (Some(from.clone()), *answers),
                _ => (has, None),
            };
            let files: Vec<FileUpdate> = context.fact(StepName::UpdateFiles).unwrap_or_default();
            let credentials: Vec<SealedId> = context.fact(StepName::CollectCredentials).unwrap_or_default();
            let done = Done::with(&json!({ "template": to.name, "from": from, "to": to, "files": files }))?;
            context.and_container(done, ContainerCommand::RecordTemplate { from, to, credentials, answers }).await
        })
    }
}
