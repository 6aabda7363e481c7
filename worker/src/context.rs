//! What a step may use, and no more: its operation, its container, its guest, and a way to tell what it does.

use std::future::Future;
use std::sync::Arc;

use domain::container::{Container, ContainerCommand, ContainerSpec, Guest as Place, Source, TemplateVersion};
use domain::operation::{Command, Operation, StepState};
use domain::pipeline::{StepName, percent};
use domain::progress::{LogStream, NextLine, Progress, ProgressKind};
use domain::template::Template;
use domain::{Aggregate, ContainerId, OperationId, SealedId, StreamId, TraceParent};
use platform::log::{Loaded, Rows, StreamAppend};
use platform::sabotage::{Safeguard, is_off};
use proxmox::shell::{Guest, Secret};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use crate::guest::has_ended;
use crate::hosts::Host;
use crate::progress::{Reporter, offset_of};
use crate::step::{Done, StepError};
use crate::tools::Tools;

/// One step's view of its operation, as it was when the step began.
pub(crate) struct Context {
    pub(crate) id: OperationId,
    pub(crate) container_id: ContainerId,
    pub(crate) operation: Operation,
    pub(crate) step: StepName,
    pub(crate) cancel: CancellationToken,
    pub(crate) tools: Arc<Tools>,
    pub(crate) reporter: Reporter,
    /// Of the request that asked for the operation.
    pub(crate) trace: Option<TraceParent>,
    pub(crate) container: OnceCell<Loaded<Container>>,
    pub(crate) template: OnceCell<Option<Arc<Template>>>,
}

impl Context {
    /// The container as of the first time that this step asked.
    pub(crate) async fn container(&self) -> Result<&Loaded<Container>, StepError> {
        let load = || async { self.tools.log.load::<Container>(self.container_id).await.map_err(StepError::internal) };
        self.container.get_or_try_init(load).await
    }

    pub(crate) async fn spec(&self) -> Result<&ContainerSpec, StepError> {
        let request = self.container().await?.state.request();
        request.map(|request| &request.spec).ok_or_else(|| StepError::internal("the container has no request"))
    }

    /// What its guest is made from: before a rebuild has begun, that is not what the container says of itself.
    pub(crate) async fn made_from(&self) -> Result<(&Source, Option<&TemplateVersion>), StepError> {
        if let Some(rebuild) = self.operation.accepted().and_then(|accepted| accepted.command.rebuild()) {
            return Ok((&rebuild.source, rebuild.template.as_ref()));
        }
        let request = self.container().await?.state.request();
        let request = request.ok_or_else(|| StepError::internal("the container has no request"))?;
        Ok((&request.spec.source, request.template.as_ref()))
    }

    /// The version that this operation brings: the one that the container has, unless it is to get another.
    pub(crate) async fn wanted_version(&self) -> Result<Option<TemplateVersion>, StepError> {
        if let Some(Command::UpdateContainer { to, .. }) = self.operation.accepted().map(|accepted| &accepted.command) {
            return Ok(Some(to.clone()));
        }
        Ok(self.made_from().await?.1.cloned())
    }

    /// The template at that version, wherever the tree has got to since.
    pub(crate) async fn template(&self) -> Result<Option<Arc<Template>>, StepError> {
        let load = || async {
            match self.wanted_version().await? {
                Some(version) => self.tools.version(&version).await.map(|template| Some(Arc::new(template))),
                None => Ok(None),
            }
        };
        self.template.get_or_try_init(load).await.cloned()
    }

    pub(crate) async fn place(&self) -> Result<&Place, StepError> {
        let guest = self.container().await?.state.guest();
        guest.ok_or_else(|| StepError::internal("the container has no guest yet"))
    }

    pub(crate) async fn host(&self) -> Result<Arc<Host>, StepError> {
        self.tools.hosts.get(self.place().await?.host).await
    }

    /// The way into the container.
    pub(crate) async fn guest(&self) -> Result<Guest, StepError> {
        let place = self.place().await?;
        let shell = self.host().await?.shell(&place.node).await?;
        Ok(shell.guest(place.vmid.get()))
    }

    /// What another step of this operation found out.
    pub(crate) fn fact<T: DeserializeOwned>(&self, step: StepName) -> Option<T> {
        self.operation.fact(step).and_then(|fact| serde_json::from_value(fact.clone()).ok())
    }

    /// What the container's stream has to say about a step, to be written in the same append as the step's end.
    pub(crate) fn say<A: Aggregate>(
        &self,
        id: A::Id,
        loaded: &Loaded<A>,
        command: A::Command,
        given: &A::Given,
    ) -> Result<Option<StreamAppend>, StepError> {
        let events = loaded.state.decide(command, given).map_err(StepError::internal)?;
        if events.is_empty() {
            return Ok(None);
        }
        let encoded = events.iter().map(domain::Event::encode).collect::<Result<Vec<_>, _>>();
        let events = encoded.map_err(StepError::internal)?;
        Ok(Some(StreamAppend { stream: A::stream(id), expected: loaded.expected(), events }))
    }

    /// The same for the container's own stream.
    pub(crate) async fn and_container(&self, mut done: Done, command: ContainerCommand) -> Result<Done, StepError> {
        done.streams.extend(self.say::<Container>(self.container_id, self.container().await?, command, &())?);
        Ok(done)
    }

    /// How far the step is, 0 to 1, and at what.
    pub(crate) async fn tell(&self, share: f64, message: String) {
        let Some(pipeline) = self.operation.pipeline() else { return };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
        let percent = Some(percent(pipeline, &self.operation, share) as u8);
        let step = pipeline.phase_of(self.step).map(|phase| phase.name.to_owned());
        self.report(ProgressKind::Step { step, part: Some(self.step), percent, message }).await;
    }

    /// A line that a script or a task said.
    pub(crate) async fn line(&self, source: &str, stream: LogStream, message: String, next: Option<NextLine>) {
        self.report(ProgressKind::Log { source: source.to_owned(), stream, message, next }).await;
    }

    async fn report(&self, kind: ProgressKind) {
        self.reporter.tell(Progress { kind, timestamp: self.tools.log.clock().now() }).await;
    }

    pub(crate) async fn offset_of(&self, run: &str) -> Result<u64, StepError> {
        self.reporter.flush().await;
        offset_of(&self.tools.log, self.id, run).await.map_err(StepError::internal)
    }

    pub(crate) fn stop_if_cancelled(&self) -> Result<(), StepError> {
        if self.cancel.is_cancelled() { Err(StepError::Cancelled) } else { Ok(()) }
    }

    pub(crate) async fn unless_cancelled<T>(&self, work: impl Future<Output = T>) -> Result<T, StepError> {
        tokio::select! {
            done = work => Ok(done),
            () = self.cancel.cancelled() => Err(StepError::Cancelled),
        }
    }

    /// The number of this try. One whose end nobody saw goes on under its number: its script may still be running.
    /// One that ended is followed by a new.
    pub(crate) fn next_run(&self, before: Option<&Value>) -> Value {
        let ran = before.and_then(|intent| intent.get("run")).and_then(Value::as_u64);
        let goes_on = self.operation.step(self.step).is_some_and(|run| match run.state {
            StepState::Started => true,
            StepState::Failed => run.error.as_ref().is_some_and(|error| !has_ended(error)),
            _ => false,
        });
        let goes_on = goes_on && !is_off(Safeguard::IdempotentStep);
        json!({ "run": ran.map_or(1, |run| if goes_on { run } else { run + 1 }) })
    }

    pub(crate) fn run_of(&self, intent: &Value) -> Result<u32, StepError> {
        let run = intent.get("run").and_then(Value::as_u64).and_then(|run| u32::try_from(run).ok());
        run.ok_or_else(|| StepError::internal("the intent has no run"))
    }

    /// What scripts see: who they are for, and the answers to the template's questions.
    pub(crate) async fn script_env(&self) -> Result<Vec<(String, Secret)>, StepError> {
        let mut env = Vec::new();
        if let Some(template) = self.template().await? {
            env.push(("TEMPLATE_NAME".to_owned(), Secret::from(template.name.as_str())));
            let with_default = template.settings.inputs.iter().filter_map(|i| Some((&i.name, i.default.as_ref()?)));
            env.extend(with_default.map(|(name, value)| (name.clone(), Secret::from(value.as_str()))));
        }
        // As processes hand it on: what a script calls belongs to the same trace.
        env.extend(self.trace.iter().map(|trace| ("TRACEPARENT".to_owned(), Secret::from(trace.to_string()))));
        env.push(("CONTAINER_ID".to_owned(), Secret::from(self.container_id.to_string())));
        env.push(("CONTAINER_HOSTNAME".to_owned(), Secret::from(self.spec().await?.hostname.as_str())));
        let anew = match self.operation.accepted().map(|accepted| &accepted.command) {
            Some(Command::UpdateContainer { answers, .. }) => *answers,
            _ => None,
        };
        let given = self.container().await?.state.request().and_then(|request| request.inputs);
        if let Some(sealed) = anew.or(given) {
            let answers: std::collections::BTreeMap<String, String> = self.open_json(sealed).await?;
            env.retain(|(name, _)| !answers.contains_key(name));
            env.extend(answers.into_iter().map(|(name, value)| (name, Secret::from(value))));
        }
        Ok(env)
    }

    pub(crate) async fn open_json<T: DeserializeOwned>(&self, id: SealedId) -> Result<T, StepError> {
        let bytes = self.tools.vault.open(id).await.map_err(StepError::internal)?;
        serde_json::from_slice(bytes.expose()).map_err(|_| StepError::internal("a sealed row is not what it should be"))
    }

    /// A new sealed row, to be written in the same append as what refers to it.
    pub(crate) fn seal_json(
        &self,
        record: &StreamId,
        what: &str,
        content: &impl Serialize,
    ) -> Result<(SealedId, Arc<dyn Rows>), StepError> {
        let bytes = serde_json::to_vec(content).map_err(StepError::internal)?;
        self.tools.vault.seal(&format!("{record}/{what}"), bytes.into()).map_err(StepError::internal)
    }

    pub(crate) async fn forget(&self, id: SealedId) -> Result<(), StepError> {
        self.tools.vault.forget(id).await.map(drop).map_err(StepError::internal)
    }
}
