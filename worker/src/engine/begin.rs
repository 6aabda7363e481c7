//! Operations that nobody asks for at the moment: what is due begins by itself, each once. What began it stands in its own
//! stream, in the same append: of two workers that see it due the log takes one.

use domain::container::Container;
use domain::operation::{Accepted, Command, Given, Operation, OperationCommand};
use domain::{Aggregate as _, Meta, OperationId};
use platform::log::{Append, Expected, StreamAppend};
use platform::people::quota;
use platform::views::clone_sources;

use super::Engine;

pub(super) enum Begun {
    Yes,
    /// Another worker was first, or something else is at work on the container: the next look tries again.
    SomebodyElse,
    /// The account may have no more.
    NoRoom,
}

impl Engine {
    pub(super) async fn begin(
        &self,
        meta: Meta,
        operation: OperationId,
        command: Command,
        container: &Container,
        said: StreamAppend,
    ) -> Result<Begun, String> {
        let account = container.request().and_then(|request| request.account);
        let held = account.zip(command.takes()).map(|(account, takes)| quota::held(account, takes));
        let free = clone_sources::free(operation, &command);
        let accepted = Accepted::new(command, account, container.guest().map(|guest| guest.host));
        let given = Given { now: self.log.clock().now() };
        let accepted = Operation::default().decide(OperationCommand::Accept(accepted), &given);
        let accepted = accepted.map_err(|error| error.to_string())?;
        let mut append = Append::new(Meta { correlation: Some(operation.uuid()), account, ..meta });
        append.streams.push(said);
        append = append.stream(Operation::stream(operation), Expected::New, encoded(&accepted)?);
        match self.log.append(held.into_iter().chain(free).fold(append, Append::with)).await {
            Ok(_) => {}
            Err(error) if error.over_quota().is_some() => return Ok(Begun::NoRoom),
            Err(error) if error.is_conflict() || error.is_taken() => return Ok(Begun::SomebodyElse),
            Err(error) => return Err(error.to_string()),
        }
        if let Err(error) = self.wake(operation).await {
            tracing::warn!(operation.id = %operation, %error, "the job was not queued, the sweep will find the operation");
        }
        Ok(Begun::Yes)
    }
}

pub(super) fn encoded<E: domain::Event>(events: &[E]) -> Result<Vec<domain::NewEvent>, String> {
    events.iter().map(domain::Event::encode).collect::<Result<_, _>>().map_err(|error| error.to_string())
}
