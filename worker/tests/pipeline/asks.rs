//! What people ask for, as the API writes it down.
#![allow(unreachable_pub, reason = "shared by the tests of this program")]

use domain::container::{Container, ContainerCommand, ContainerSpec, Request, Source};
use domain::operation::{Accepted, Command, Given, Operation, OperationCommand};
use domain::{Aggregate, ContainerId, Event as _, Meta, OperationId};
use platform::clock::now;
use platform::log::{Append, Expected};
use uuid::Uuid;

use crate::support::{World, meta};

impl World {
    /// Accepts a create as the API does: one append.
    pub async fn request(&self, spec: ContainerSpec) -> (ContainerId, OperationId) {
        self.request_as(meta(), spec, false).await
    }

    pub async fn request_as(&self, by: Meta, spec: ContainerSpec, keep: bool) -> (ContainerId, OperationId) {
        let container = ContainerId::new(Uuid::now_v7());
        let command = Command::CreateContainer { container, keep_on_failure: keep };
        (container, self.request_by(by, spec, command).await)
    }

    /// The same for a container that is made otherwise.
    pub async fn request_with(&self, spec: ContainerSpec, command: Command) -> OperationId {
        self.request_by(meta(), spec, command).await
    }

    async fn request_by(&self, by: Meta, spec: ContainerSpec, command: Command) -> OperationId {
        let (container, operation) = (command.creates().unwrap(), OperationId::new(Uuid::now_v7()));
        let mut append = Append::new(by);
        let mut template = None;
        if let Source::Template(name) = &spec.source {
            let found = self.tools.catalogue.find(name).await.unwrap().unwrap();
            let hash = found.version.clone().unwrap_or_else(|| panic!("{:?}", found.findings));
            template = Some(hash);
            append.rows.extend(self.tools.catalogue.keep(&found));
        }
        let (password, row) = self.seal("password", b"correct horse battery");
        append = append.with(row);
        let request = Request {
            spec,
            operation,
            account: None,
            placement: None,
            template,
            root_password: Some(password),
            inputs: None,
        };
        let events = Container::default().decide(ContainerCommand::Request(Box::new(request)), &()).unwrap();
        // Where one is made from what is there is known before it begins.
        let host = (!matches!(command, Command::CreateContainer { .. })).then_some(self.host);
        let accept = OperationCommand::Accept(Accepted::new(command, None, host));
        let accepted = Operation::default().decide(accept, &Given { now: now() }).unwrap();
        let append = append
            .stream(Container::stream(container), Expected::New, events.iter().map(|e| e.encode().unwrap()).collect())
            .stream(
                Operation::stream(operation),
                Expected::New,
                accepted.iter().map(|e| e.encode().unwrap()).collect(),
            );
        self.log.append(append).await.unwrap();
        operation
    }

    pub async fn accept(&self, command: Command) -> OperationId {
        let operation = OperationId::new(Uuid::now_v7());
        let accept = OperationCommand::Accept(Accepted::new(command, None, Some(self.host)));
        self.ask(operation, accept).await;
        operation
    }

    pub async fn ask(&self, id: OperationId, command: OperationCommand) {
        self.log.execute::<Operation>(id, command, &Given { now: now() }, meta()).await.unwrap();
        self.coordination.bus().publish(&worker::progress::command_topic(id), 1).await;
    }

    pub async fn try_ask(&self, id: OperationId, command: OperationCommand) -> Result<(), String> {
        let asked = self.log.execute::<Operation>(id, command, &Given { now: now() }, meta()).await;
        asked.map(drop).map_err(|error| error.to_string())
    }

    /// As somebody asks for it who saw a create fail.
    pub async fn retry(&self, container: ContainerId, id: OperationId) {
        self.log.execute::<Container>(container, ContainerCommand::RetryCreate, &(), meta()).await.unwrap();
        self.ask(id, OperationCommand::Retry).await;
    }
}
