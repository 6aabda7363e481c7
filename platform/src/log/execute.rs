//! From a stream to a state, and from a command to events: load, decide, append.

use chrono::{DateTime, Utc};
use domain::{Aggregate, Event, Meta, Position, StreamId, Version};

use super::{Append, AppendError, Appended, Expected, Log, LogError};

/// How often a command is decided again after losing the race for its stream.
const DECISIONS: usize = 16;

/// An aggregate as of a version.
#[derive(Debug, Clone)]
pub struct Loaded<A> {
    pub state: A,
    pub version: Version,
}

/// When to look at.
#[derive(Debug, Clone, Copy)]
pub enum As {
    /// Right after this position.
    Position(Position),
    /// At this time, inclusive.
    Time(DateTime<Utc>),
}

/// A command that was carried out.
#[derive(Debug, Clone)]
pub struct Executed<A: Aggregate> {
    pub state: A,
    pub version: Version,
    /// None when all was as the command wants it already.
    pub appended: Option<Appended>,
}

#[derive(Debug, thiserror::Error)]
pub enum ExecuteError<R: std::error::Error> {
    /// The rules say no.
    #[error(transparent)]
    Rejected(R),
    #[error(transparent)]
    Log(LogError),
    #[error(transparent)]
    Append(AppendError),
}

impl<A> Loaded<A> {
    /// What an append has to expect of the stream that this was loaded from.
    #[must_use]
    pub fn expected(&self) -> Expected {
        if self.version.0 == 0 { Expected::New } else { Expected::Version(self.version) }
    }
}

impl Log {
    /// # Errors
    /// When the database can't be read, or an event in it.
    pub async fn load<A: Aggregate>(&self, id: A::Id) -> Result<Loaded<A>, LogError> {
        self.fold(&A::stream(id), |_| true).await
    }

    /// The aggregate as it was.
    ///
    /// # Errors
    /// When the database can't be read, or an event in it.
    pub async fn state_at<A: Aggregate>(&self, id: A::Id, when: As) -> Result<Loaded<A>, LogError> {
        self.fold(&A::stream(id), |event| match when {
            As::Position(position) => event.position <= position,
            As::Time(time) => event.recorded_at <= time,
        })
        .await
    }

    async fn fold<A: Aggregate>(
        &self,
        stream: &StreamId,
        within: impl Fn(&domain::Recorded) -> bool,
    ) -> Result<Loaded<A>, LogError> {
        let mut loaded = Loaded { state: A::default(), version: Version(0) };
        for recorded in self.stream(stream, Version(0)).await?.iter().take_while(|event| within(event)) {
            let event = recorded
                .event::<A::Event>()
                .map_err(|source| LogError::Event { position: recorded.position, source })?;
            loaded = Loaded { state: loaded.state.evolve(&event), version: recorded.version };
        }
        Ok(loaded)
    }

    /// Loads, decides, appends; decides again on what is there when another was faster.
    ///
    /// # Errors
    /// When the rules say no, or the log can't be read or written.
    pub async fn execute<A: Aggregate>(
        &self,
        id: A::Id,
        command: A::Command,
        given: &A::Given,
        meta: Meta,
    ) -> Result<Executed<A>, ExecuteError<A::Rejection>>
    where
        A::Command: Clone,
    {
        self.execute_on(id, command, given, meta, &|_| true).await
    }

    /// The same, only on a version that will do.
    ///
    /// # Errors
    /// The same, and when it is at another version.
    pub async fn execute_on<A: Aggregate>(
        &self,
        id: A::Id,
        command: A::Command,
        given: &A::Given,
        meta: Meta,
        will_do: &(dyn Fn(Version) -> bool + Sync),
    ) -> Result<Executed<A>, ExecuteError<A::Rejection>>
    where
        A::Command: Clone,
    {
        let mut decided = 1;
        loop {
            let loaded = self.load::<A>(id).await.map_err(ExecuteError::Log)?;
            if loaded.version.0 > 0 && !will_do(loaded.version) {
                return Err(ExecuteError::Append(AppendError::Stale { actual: loaded.version }));
            }
            let events = loaded.state.decide(command.clone(), given).map_err(ExecuteError::Rejected)?;
            if events.is_empty() {
                return Ok(Executed { state: loaded.state, version: loaded.version, appended: None });
            }
            let encoded: Result<Vec<_>, _> = events.iter().map(Event::encode).collect();
            let encoded = encoded.map_err(|e| ExecuteError::Append(e.into()))?;
            let append = Append::new(meta.clone()).stream(A::stream(id), loaded.expected(), encoded);
            match self.append(append).await {
                Ok(appended) => {
                    let version = Version(loaded.version.0 + events.len() as i64);
                    let state = events.iter().fold(loaded.state, A::evolve);
                    return Ok(Executed { state, version, appended: Some(appended) });
                }
                Err(error) if error.is_conflict() && decided < DECISIONS => decided += 1,
                Err(error) => return Err(ExecuteError::Append(error)),
            }
        }
    }
}
