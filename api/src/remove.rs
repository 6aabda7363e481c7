//! Accepting that a container is to be taken down.

use domain::ContainerId;
use domain::container::Lifecycle;
use domain::operation::Command;
use platform::views::{self, ContainerRow};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::accept::{Accepting, Refusal, Taken, busy, unread};
use crate::app::App;
use crate::asking::Asking;
use crate::problem::{Kind, Problem};

/// # Errors
/// When there is no such container, it is gone already, or an operation is at work on it.
pub(crate) async fn container(app: &App, asking: &Asking, id: ContainerId, purge: bool) -> Result<Taken, Problem> {
    let row: Option<ContainerRow> = views::get(app.log.db(), id).await.map_err(unread)?;
    let row = row.ok_or_else(|| Problem::new(Kind::NotFound))?;
    let digest: [u8; 32] = Sha256::digest([u8::from(purge)]).into();
    if row.lifecycle == Lifecycle::Removed && !crate::accept::is_repeated(app, asking, &digest).await? {
        return Err(Problem::new(Kind::NotPossible).detail("the container has been removed"));
    }
    let operation = domain::OperationId::new(Uuid::now_v7());
    let command = Command::DeleteContainer { container: id, purge };
    let accepting = Accepting::begin(app, asking, operation, command, row.host).await?;
    match accepting.finish(app, asking, &digest, json!({ "container": id })).await {
        Ok(taken) => Ok(taken),
        Err(Refusal::Append(error)) if error.is_taken() => Err(busy(app, id).await),
        Err(other) => Err(other.into()),
    }
}
