//! Asking something of an operation that is there: to cancel it, to retry it.

use actix_web::HttpResponse;
use domain::OperationId;
use domain::operation::{Given, Operation, OperationCommand, OperationRejection};
use platform::log::ExecuteError;
use platform::series::records;

use crate::accept::{busy, call_worker, not_appended, operation, unreadable};
use crate::app::App;
use crate::asking::Asking;
use crate::problem::{Kind, Problem};
use crate::topics;

/// # Errors
/// When there is no such operation, or its state does not allow it.
pub(crate) async fn of_operation(
    app: &App,
    asking: &Asking,
    id: OperationId,
    command: OperationCommand,
) -> Result<HttpResponse, Problem> {
    let mut meta = asking.meta();
    meta.correlation = Some(id.uuid());
    let given = Given { now: app.log.clock().now() };
    match app.log.execute::<Operation>(id, command, &given, meta).await {
        Ok(executed) => {
            if let Some(appended) = executed.appended {
                tell(app, asking, id, appended.last.0.unsigned_abs()).await;
            }
            Ok(HttpResponse::Accepted().json(operation(app, id).await?))
        }
        Err(ExecuteError::Rejected(OperationRejection::Unknown { .. })) => Err(Problem::new(Kind::NotFound)),
        Err(ExecuteError::Rejected(no)) => Err(Problem::new(Kind::NotPossible).detail(no.to_string())),
        Err(ExecuteError::Append(error)) if error.is_taken() => Err(in_the_way(app, id).await),
        Err(ExecuteError::Append(error)) => Err(not_appended(&error)),
        Err(ExecuteError::Log(error)) => Err(unreadable(error)),
    }
}

/// The worker that is at it, one that is free, and the watchers.
async fn tell(app: &App, asking: &Asking, id: OperationId, position: u64) {
    app.coordination.bus().publish(&topics::asked(id), position).await;
    call_worker(app, asking, id).await;
    match records::last(app.log.db(), &records::of_operation(id)).await {
        Ok(last) => app.coordination.bus().publish(&topics::progress(id), last.unsigned_abs()).await,
        Err(error) => {
            tracing::warn!(operation.id = %id, %error, "watchers were not called; they will look by themselves")
        }
    }
}

async fn in_the_way(app: &App, id: OperationId) -> Problem {
    let loaded = app.log.load::<Operation>(id).await.ok();
    match loaded.and_then(|loaded| loaded.state.accepted().and_then(|accepted| accepted.target)) {
        Some(container) => busy(app, container).await,
        None => Problem::new(Kind::Busy),
    }
}
