//! Accepting that something is to be done with a container that is there.

use domain::container::Lifecycle;
use domain::operation::Command;
use domain::{ContainerId, OperationId};
use platform::views::{self, ContainerRow};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::accept::{Accepting, Refusal, Taken, busy, is_repeated, unread};
use crate::app::App;
use crate::asking::Asking;
use crate::problem::{Kind, Problem};

/// Which containers the action is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    /// Those that were made whole.
    Ready,
    /// Those that failed, too.
    Present,
    /// Those that are gone, too.
    Known,
}

/// # Errors
/// When there is no such container, it is not in a state for this, or an operation is at work on it.
pub(crate) async fn on(
    app: &App,
    asking: &Asking,
    id: ContainerId,
    of: For,
    command: Command,
) -> Result<Taken, Problem> {
    under(app, asking, OperationId::new(Uuid::now_v7()), id, of, command).await
}

/// The same, as an operation whose id was chosen before.
///
/// # Errors
/// As for [`on`].
pub(crate) async fn under(
    app: &App,
    asking: &Asking,
    operation: OperationId,
    id: ContainerId,
    of: For,
    command: Command,
) -> Result<Taken, Problem> {
    let row: Option<ContainerRow> = views::get(app.log.db(), id).await.map_err(unread)?;
    let row = row.ok_or_else(|| Problem::new(Kind::NotFound))?;
    // Also those that were not named in the path, which nobody has looked at yet.
    asking.caller.sees(row.account)?;
    let digest: [u8; 32] = Sha256::digest(serde_json::to_vec(&command).map_err(Problem::internal)?).into();
    if let Some(why) = in_the_way(row.lifecycle, of)
        && !is_repeated(app, asking, &digest).await?
    {
        // Who is at work on it tells more than the state that it leaves the container in.
        return Err(match (row.lifecycle, busy(app, id).await) {
            (Lifecycle::Creating, holder) => holder,
            _ => Problem::new(Kind::NotPossible).detail(why),
        });
    }
    let accepting = Accepting::begin(app, asking, operation, command, row.host).await?;
    match accepting.finish(app, asking, &digest, json!({ "container": id })).await {
        Ok(taken) => Ok(taken),
        Err(Refusal::Append(error)) if error.is_taken() => Err(busy(app, id).await),
        Err(other) => Err(other.into()),
    }
}

const fn in_the_way(lifecycle: Lifecycle, of: For) -> Option<&'static str> {
    match (lifecycle, of) {
        (_, For::Known) => None,
        (Lifecycle::Removed | Lifecycle::Unknown, _) => Some("the container has been removed"),
        (Lifecycle::Creating, For::Ready) => Some("the container is being created"),
        (Lifecycle::Failed, For::Ready) => Some("its create failed: retry that, or delete the container"),
        (Lifecycle::Ready, _) | (Lifecycle::Creating | Lifecycle::Failed, For::Present) => None,
    }
}
