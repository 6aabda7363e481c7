//! What apalis pulls from: a channel that is filled only while there are free slots.
//!
//! apalis runs the jobs; leases and acknowledgements are ours, because its own Redis backend loses a long queue, does
//! not renew while it drains and dies with its connection.

use std::convert::Infallible;
use std::task::{Context, Poll};

use apalis_core::backend::finalize::Ephemeral;
use apalis_core::backend::{Backend, BackendConfig};
use apalis_core::layers::Identity;
use apalis_core::task::Task;
use apalis_core::worker::context::WorkerContext;
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use super::job::Delivery;

pub(super) struct Claim {
    pub(super) delivery: Delivery,
    /// Given back when the handler ends.
    pub(super) slot: OwnedSemaphorePermit,
}

pub(super) struct Feed(pub(super) mpsc::Receiver<Claim>);

impl Backend for Feed {
    type Task = Task<Claim>;
    type Error = Infallible;

    fn poll_ready(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        worker: &WorkerContext,
    ) -> Poll<Option<Result<Self::Task, Infallible>>> {
        self.0.poll_recv(cx).map(|claim| {
            if claim.is_none() {
                // A worker whose jobs have ended goes on waiting for the word to stop, which only it can be told.
                // It refuses only when it never started, and then it ends by itself.
                let _ = worker.stop();
            }
            claim.map(|claim| Ok(Task::new(claim)))
        })
    }

    fn poll_close(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
}

impl BackendConfig for Feed {
    type Args = Claim;
    type Id = ();
    type Kind = Ephemeral;
    type Config = ();
    type Layer = Identity;

    fn config(&self) -> &() {
        &()
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> Identity {
        Identity::new()
    }
}
