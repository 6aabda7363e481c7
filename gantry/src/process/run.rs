//! Running the parts until the process is asked to end, and ending them in order.

use super::{Listening, Parts};
use crate::{
    exit::{Outcome, While as _},
    signals,
};

/// Runs what there is. At a signal the API answers what it has begun and the worker leaves its steps at a safe point; a
/// second one ends the process at once.
pub(crate) async fn until_asked_to_end(parts: Parts, listening: Option<Listening>, worker: bool) -> Outcome<()> {
    let stop = parts.stop.clone();
    let signal = tokio::spawn({
        let stop = stop.clone();
        async move {
            signals::asked_to_end().await;
            tracing::info!("ending: what is under way gets to a safe point");
            stop.cancel();
            signals::asked_to_end().await;
            std::process::exit(130);
        }
    });
    let ended = run(&parts, listening, worker).await;
    signal.abort();
    ended
}

/// Runs what there is until `parts.stop`.
pub(crate) async fn run(parts: &Parts, listening: Option<Listening>, worker: bool) -> Outcome<()> {
    let stop = parts.stop.clone();
    // Whatever ends first ends the others: half a process helps nobody, and its supervisor starts it again.
    let answering = async {
        let ended = match listening {
            Some(it) => api::serve(it.app, it.listener, it.settings, stop.clone()).await.during("answering requests"),
            None => Ok(stop.cancelled().await),
        };
        stop.cancel();
        ended
    };
    let working = async {
        let ended = if worker { work(parts).await } else { Ok(stop.cancelled().await) };
        stop.cancel();
        ended
    };
    let (answered, worked) = tokio::join!(answering, working);
    parts.log.close().await;
    answered.and(worked)
}

async fn work(parts: &Parts) -> Outcome<()> {
    let engine = parts.engine();
    let settings = parts.work();
    let (worked, ()) = tokio::join!(engine.work(&settings), engine.sweep_on());
    worked.during("working on operations")
}
