//! Making a guest that is on Proxmox already a container, and giving one back.

use actix_web::post;
use actix_web::web::Path;
use domain::container::{Container, ContainerCommand, ContainerRejection, Request};
use domain::operation::Command;
use domain::vmid::Vmid;
use domain::{AccountId, Aggregate as _, ContainerId, HostId, OperationId};
use platform::log::Expected;
use platform::views::{self, AccountRow, HostRow};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use super::asked::{Accepted, Asked};
use super::id::Id;
use crate::accept::{Accepting, Refusal, is_repeated};
use crate::act::{For, invalid};
use crate::body::Body;
use crate::copies::unseen;
use crate::in_use;
use crate::paging::wrong;
use crate::problem::{Kind, Problem};
use crate::shape::operation::Created;
use crate::unread::unread;

#[derive(Debug, Default, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "account": "01990000-0000-7000-8000-0000000000b1" }))]
pub(super) struct Adopting {
    /// Whose it is to be; nobody's in particular when left out.
    #[schema(value_type = Option<Uuid>)]
    account: Option<AccountId>,
}

/// Adopt a guest
///
/// A container that somebody made on Proxmox becomes one of Gantry's: as it is, with our marker on it. Nothing in it is
/// touched.
#[utoipa::path(
    tag = "drift",
    params(
        ("id" = Uuid, Path, description = "The host's id"),
        ("vmid" = u32, Path, description = "The guest's number", example = 105),
        Asked,
    ),
    request_body = Adopting,
    responses(
        Accepted<Created>,
        (status = 409, description = "A container has it already, its name is in use, or the account may not have more", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "It is not as Gantry's containers may be", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/v1/hosts/{id}/guests/{vmid}/adopt")]
pub(super) async fn adopt(
    asked: Asked,
    path: Path<(String, String)>,
    body: Body<Adopting>,
) -> Result<Accepted<Created>, Problem> {
    let (app, asking) = (&asked.app, &asked.asking);
    let missing = || Problem::new(Kind::NotFound);
    let (host, vmid) = path.into_inner();
    let host: HostId = host.parse().map_err(|_| missing())?;
    let vmid = vmid.parse().ok().and_then(|vmid: u32| Vmid::try_from(vmid).ok()).ok_or_else(missing)?;
    views::get::<HostRow>(app.log.db(), host).await.map_err(unread)?.ok_or_else(missing)?;
    let digest = body.digest;
    let mut errors = Vec::new();
    if let Some(account) = body.read().account
        && views::get::<AccountRow>(app.log.db(), account).await.map_err(unread)?.is_none()
    {
        errors.push(wrong("account", "there is no such account", "see `gantry accounts list`"));
    }
    let account = body.fit(errors)?.account.or(asking.caller.account);
    let found = app.guests.import(host, vmid).await.map_err(|error| unseen(&error))?;
    if let Some(owner) = found.owner
        && !is_repeated(app, asking, &digest).await?
    {
        let taken = Problem::new(Kind::NotPossible).detail("a container has this guest already");
        return Err(taken.fact("container", format!("/v1/containers/{owner}")));
    }
    let (container, operation) = (ContainerId::new(Uuid::now_v7()), OperationId::new(Uuid::now_v7()));
    let spec = found.spec.clone();
    let wanted = Request {
        spec: found.spec,
        operation,
        account,
        placement: None,
        template: None,
        root_password: None,
        inputs: None,
    };
    let events = match Container::default().decide(ContainerCommand::Request(Box::new(wanted)), &()) {
        Ok(events) => events.iter().map(domain::Event::encode).collect::<Result<_, _>>().map_err(Problem::internal)?,
        Err(ContainerRejection::Invalid(errors)) => return Err(invalid(errors)),
        Err(no) => return Err(Problem::internal(no)),
    };
    let command = Command::AdoptGuest { container, host, node: found.node, vmid, account };
    let accepting = Accepting::begin(app, asking, operation, command, Some(host))
        .await?
        .with(|append| append.stream(Container::stream(container), Expected::New, events));
    match accepting.finish(app, asking, &digest, json!({ "container": container })).await {
        Ok(taken) => {
            let more = json!({ "container": taken.kept.get("container") });
            asked.answer(taken, more).await
        }
        Err(Refusal::Append(error)) if error.is_taken() => Err(in_use::refused(app, asking, &spec).await),
        Err(other) => Err(other.into()),
    }
}

/// Release a container
///
/// It ends here and stays on Proxmox, without our marker: nobody's of Gantry's any more.
#[utoipa::path(tag = "drift", params(Id<ContainerId>, Asked), responses(Accepted))]
#[post("/v1/containers/{id}/release")]
pub(super) async fn release(asked: Asked, id: Id<ContainerId>) -> Result<Accepted, Problem> {
    let command = Command::ReleaseContainer { container: id.0 };
    let taken = crate::act::on(&asked.app, &asked.asking, id.0, For::Ready, command).await?;
    asked.answer(taken, Value::Null).await
}
