//! Accepting that a container is to be different: larger, renamed, with another root password.

use domain::container::{Change, Container, ContainerCommand};
use domain::operation::Command;
use domain::{Aggregate as _, ContainerId, OperationId};
use platform::views::{self, ContainerRow};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;
use validator::Validate;

use crate::accept::{Taken, is_repeated};
use crate::act::{self, Also, For, told};
use crate::app::App;
use crate::asking::Asking;
use crate::body::Body;
use crate::create::{seal, tell_password};
use crate::in_use;
use crate::problem::{Kind, Problem};
use crate::secret::{generate, password_fault};
use crate::unread::unread;
use crate::wish::RootPassword;

/// # Errors
/// What is wrong with the change, who has the name, or why the container can't be changed now.
pub(crate) async fn of<T>(
    app: &App,
    asking: &Asking,
    id: ContainerId,
    body: Body<T>,
    command: impl FnOnce(Change) -> Command,
) -> Result<Taken, Problem>
where
    T: DeserializeOwned + Validate + 'static,
    Change: for<'a> From<&'a T>,
{
    let digest = body.digest;
    let change = Change::from(body.read());
    let row: Option<ContainerRow> = views::get(app.log.db(), id).await.map_err(unread)?;
    let row = row.ok_or_else(|| Problem::new(Kind::NotFound))?;
    // Whoever asks again is told what the first time came to, whatever holds by now.
    let repeated = is_repeated(app, asking, &digest).await?;
    let errors = if repeated { Vec::new() } else { change.faults(&row.spec) };
    body.fit(errors.into_iter().map(told).collect())?;
    if change.fields().is_empty() {
        return Err(Problem::new(Kind::Invalid).detail("nothing is to be different: give at least one field"));
    }
    if let Some(name) = change.hostname.as_deref().filter(|name| !repeated && *name != row.hostname)
        && let Some(holder) = in_use::name(app, name).await?
    {
        return Err(in_use::by(asking, &[holder]));
    }
    let says = Some(ContainerCommand::AcceptChange(change.clone()));
    let also = Also {
        operation: OperationId::new(Uuid::now_v7()),
        digest,
        says,
        rows: Vec::new(),
        kept: json!({ "container": id }),
    };
    act::saying(app, asking, id, For::Ready, command(change), also).await
}

/// The operation, and the password when we made it.
///
/// # Errors
/// What is wrong with the password, or why it can't be set now.
pub(crate) async fn root_password(
    app: &App,
    asking: &Asking,
    id: ContainerId,
    body: Body<RootPassword>,
) -> Result<(Taken, Value), Problem> {
    let digest = body.digest;
    let faults = body.read().root_password.as_ref().and_then(password_fault);
    let body = body.fit(faults.into_iter().collect())?;
    let made = body.root_password.is_none();
    let password = body.root_password.unwrap_or_else(generate);
    let mut rows = Vec::new();
    let sealed = seal(app, &Container::stream(id), "root-password", &password, &mut rows)?;
    let kept = json!({ "container": id, "password": made.then_some(sealed) });
    let says = Some(ContainerCommand::GiveRootPassword(sealed));
    let command = Command::SetRootPassword { container: id, password: sealed };
    let also = Also { operation: OperationId::new(Uuid::now_v7()), digest, says, rows, kept };
    let taken = act::saying(app, asking, id, For::Ready, command, also).await?;
    let more = tell_password(app, &taken, made.then_some(&password)).await;
    Ok((taken, more))
}
