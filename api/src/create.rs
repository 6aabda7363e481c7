//! Accepting the wish for a container.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::container::{Container, ContainerCommand, Request};
use domain::operation::Command;
use domain::{AccountId, Aggregate as _, ContainerId, OperationId, SealedId, StreamId};
use platform::log::{Expected, Rows};
use platform::views::addresses;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::accept::{Accepting, Refusal, Taken};
use crate::app::App;
use crate::asking::Asking;
use crate::body::Body;
use crate::in_use;
use crate::problem::Problem;
use crate::secret::{Secret, generate};
use crate::wish::{CreateContainer, Resolved};

/// The operation, and what else the answer says: the root password, when we made it.
///
/// # Errors
/// Everything that is wrong with the wish, or who has its host name or address.
pub(crate) async fn container(
    app: &App,
    asking: &Asking,
    body: Body<CreateContainer>,
) -> Result<(Taken, Value), Problem> {
    let digest = body.digest;
    let mut wish = body.read().resolve(app, asking).await?;
    let body = body.fit(std::mem::take(&mut wish.errors))?;
    let (id, operation) = (ContainerId::new(Uuid::now_v7()), OperationId::new(Uuid::now_v7()));
    let stream = Container::stream(id);
    let made = body.root_password.is_none();
    let password = body.root_password.clone().unwrap_or_else(generate);
    let mut rows = Vec::new();
    let sealed = seal(app, &stream, "root-password", &password, &mut rows)?;
    let inputs = seal_inputs(app, &stream, &wish.inputs, &mut rows)?;
    rows.extend(wish.template.as_ref().and_then(|found| app.catalogue.keep(found)));
    rows.extend(addresses::unshared(id, &wish.spec));
    let events = requested(&wish, asking.caller.account, operation, sealed, inputs)?;

    let command = Command::CreateContainer { container: id, keep_on_failure: body.keep_on_failure };
    let accepting = Accepting::begin(app, asking, operation, command, wish.host).await?.with(|append| {
        rows.into_iter().fold(append.stream(stream, Expected::New, events), |append, rows| append.with(rows))
    });
    let kept = json!({ "container": id, "password": made.then_some(sealed) });
    let taken = match accepting.finish(app, asking, &digest, kept).await {
        Ok(taken) => taken,
        Err(Refusal::Append(error)) if error.is_taken() => return Err(in_use::refused(app, asking, &wish.spec).await),
        Err(other) => return Err(other.into()),
    };
    if let Some(found) = &wish.template {
        taken.stored(app, found);
    }
    let more = tell_password(app, &taken, made.then_some(&password)).await;
    Ok((taken, more))
}

fn requested(
    wish: &Resolved,
    account: Option<AccountId>,
    operation: OperationId,
    password: SealedId,
    inputs: Option<SealedId>,
) -> Result<Vec<domain::NewEvent>, Problem> {
    let request = Request {
        spec: wish.spec.clone(),
        operation,
        account,
        placement: None,
        template: wish.template.as_ref().and_then(|found| found.version.clone()),
        root_password: Some(password),
        inputs,
    };
    let command = ContainerCommand::Request(Box::new(request));
    let events = Container::default().decide(command, &()).map_err(Problem::internal)?;
    events.iter().map(domain::Event::encode).collect::<Result<_, _>>().map_err(Problem::internal)
}

pub(crate) fn seal(
    app: &App,
    stream: &StreamId,
    what: &str,
    secret: &Secret,
    rows: &mut Vec<Arc<dyn Rows>>,
) -> Result<SealedId, Problem> {
    let (id, row) = app.vault.seal(&format!("{stream}/{what}"), secret.bytes()).map_err(Problem::internal)?;
    rows.push(row);
    Ok(id)
}

pub(crate) fn seal_inputs(
    app: &App,
    stream: &StreamId,
    inputs: &BTreeMap<String, Secret>,
    rows: &mut Vec<Arc<dyn Rows>>,
) -> Result<Option<SealedId>, Problem> {
    if inputs.is_empty() {
        return Ok(None);
    }
    let plain: BTreeMap<&str, &str> = inputs.iter().map(|(name, answer)| (name.as_str(), answer.expose())).collect();
    let text = serde_json::to_string(&plain).map_err(Problem::internal)?;
    seal(app, stream, "inputs", &text.into(), rows).map(Some)
}

/// The container, and the password if it is ours to tell. Who asks again is told the same as long as it is kept.
pub(crate) async fn tell_password(app: &App, taken: &Taken, made_now: Option<&Secret>) -> Value {
    let mut more = json!({ "container": taken.kept.get("container") });
    let sealed = taken.kept.get("password").and_then(Value::as_str).and_then(|id| id.parse().ok());
    let password: Option<Secret> = match sealed {
        Some(id) if taken.repeated => app
            .vault
            .open(id)
            .await
            .ok()
            .and_then(|bytes| String::from_utf8(bytes.expose().to_vec()).ok().map(Secret::from)),
        _ => made_now.cloned(),
    };
    if let Some(password) = password {
        more["root_password"] = password.expose().into();
    }
    more
}
