//! Deleting a container later, and taking that back.

use chrono::TimeDelta;
use domain::container::{Container, ContainerCommand, Deletion};
use domain::{Aggregate as _, ContainerId, Event};
use platform::log::Append;
use platform::views::{self, ContainerRow};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::accept::{is_repeated, not_appended};
use crate::app::App;
use crate::asking::Asking;
use crate::problem::{Kind, Problem};
use crate::shape::container::ContainerView;
use crate::topics;
use crate::unread::unread;

/// How often it is decided again after losing the race for the stream.
const DECISIONS: usize = 16;

/// # Errors
/// When there is no such container, or it is removed already.
pub(crate) async fn later(
    app: &App,
    asking: &Asking,
    id: ContainerId,
    delay: TimeDelta,
    (purge, keep_unreferenced): (bool, bool),
) -> Result<ContainerView, Problem> {
    let asked = json!([delay.num_seconds(), purge, keep_unreferenced]);
    let deletion = Deletion { at: app.log.clock().now() + delay, purge, keep_unreferenced };
    say(app, asking, id, &asked, ContainerCommand::PlanDelete(deletion)).await
}

/// # Errors
/// When there is no such container, or it is not to be deleted.
pub(crate) async fn not_at_all(app: &App, asking: &Asking, id: ContainerId) -> Result<ContainerView, Problem> {
    say(app, asking, id, &Value::Null, ContainerCommand::WithdrawDelete).await
}

async fn say(
    app: &App,
    asking: &Asking,
    id: ContainerId,
    asked: &Value,
    says: ContainerCommand,
) -> Result<ContainerView, Problem> {
    let digest: [u8; 32] = Sha256::digest(asked.to_string()).into();
    for _ in 0..DECISIONS {
        // Whoever asks again sees the container, whatever became of it.
        if is_repeated(app, asking, &digest).await? {
            return shown(app, id).await;
        }
        let loaded = app.log.load::<Container>(id).await.map_err(unread)?;
        let request = loaded.state.request().ok_or_else(|| Problem::new(Kind::NotFound))?;
        asking.hold(loaded.version.0)?;
        let events = loaded.state.decide(says.clone(), &());
        let events = events.map_err(|no| Problem::new(Kind::NotPossible).detail(no.to_string()))?;
        let events = events.iter().map(Event::encode).collect::<Result<_, _>>().map_err(Problem::internal)?;
        let mut meta = asking.meta();
        // An administrator acts for whose it is.
        meta.account = request.account;
        let append = Append::new(meta).stream(Container::stream(id), loaded.expected(), events);
        match app.log.append(append.once(asking.once(&digest, Value::Null))).await {
            Ok(appended) => {
                // Whoever waits for the next may have another to wait for.
                app.coordination.bus().publish(topics::DELETIONS, appended.last.0.unsigned_abs()).await;
                return shown(app, id).await;
            }
            Err(error) if error.is_conflict() => {}
            Err(error) => return Err(not_appended(&error)),
        }
    }
    Err(Problem::new(Kind::Conflict))
}

async fn shown(app: &App, id: ContainerId) -> Result<ContainerView, Problem> {
    let row: Option<ContainerRow> = views::get(app.log.db(), id).await.map_err(unread)?;
    let row = row.ok_or_else(|| Problem::new(Kind::NotFound))?;
    Ok(ContainerView::of(row, app.live.of(id), app.log.clock().now()))
}
