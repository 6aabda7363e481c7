//! Running the parts until the process is asked to end, and ending them in order.

use std::time::Duration;

use platform::shutdown::{Limits, Part, Signals};

use super::{Listening, Parts, Sweeping, Telemetry};
use crate::exit::{Outcome, While as _};

/// Requests under way get this long; streams end at once.
const ANSWERING: Duration = Duration::from_secs(30);
/// On top of what the settings give the worker, to write down where it stopped.
const PUTTING_DOWN: Duration = Duration::from_secs(5);
const CLOSING: Duration = Duration::from_secs(10);

/// Runs what there is until a signal. Then the API answers what it has begun, the worker leaves its operations at a safe
/// point for another one, and the log is closed; a second signal ends the process at once.
pub(crate) async fn run(
    parts: Parts,
    telemetry: Telemetry,
    listening: Option<Listening>,
    worker: bool,
    signals: Signals,
) -> Outcome<()> {
    let shutdown = parts.shutdown.clone();
    let drain = Duration::from_secs(parts.config.worker.drain_s) + PUTTING_DOWN;
    let live = listening.as_ref().map(|listening| listening.app.live.clone()).unwrap_or_default();
    if listening.is_some() {
        // Containers are asked for where the API is; a worker's machine need not have the templates.
        let (catalogue, log, stop) = (parts.catalogue.clone(), parts.log.clone(), parts.stop());
        tokio::spawn(async move { catalogue.watch_on(&log, &stop).await });
    }
    let answering = listening.map(|listening| tokio::spawn(answer(listening, shutdown.accept.part())));
    let working = worker.then(|| {
        tokio::spawn(work(parts.engine(), parts.sweeping(), parts.work(), shutdown.drain.part(), parts.stop()))
    });
    let nodes = parts.nodes(move |seen| live.saw(seen.into_iter().map(as_shown)));
    let asked_to_end = shutdown.accept.token();
    tokio::spawn(async move { nodes.watch_on(&asked_to_end).await });
    let log = parts.log.clone();
    let closing = shutdown.close.part();
    tokio::spawn(async move {
        closing.stopped().await;
        log.close().await;
        drop(closing);
    });
    tokio::select! {
        _ = shutdown.run(signals, Limits { accept: ANSWERING, drain, close: CLOSING }) => {}
        () = telemetry.keep() => {}
    }
    for part in [answering, working].into_iter().flatten() {
        // Whoever was too late was told of; waiting for it was the shutdown's.
        if part.is_finished() {
            part.await??;
        }
    }
    telemetry.flush().await;
    Ok(())
}

/// What the worker's side saw of a container, as the API shows it.
fn as_shown(seen: worker::nodes::Seen) -> (domain::ContainerId, api::live::Live) {
    let live = api::live::Live {
        power: seen.power,
        node: seen.node,
        cpu: Some(seen.cpu),
        memory_bytes: Some(seen.memory_bytes),
        disk_bytes: Some(seen.disk_bytes),
        uptime_seconds: Some(seen.uptime_seconds),
        lock: seen.lock,
        seen_at: seen.at,
    };
    (seen.container, live)
}

/// Whatever ends by itself ends the others: half a process helps nobody, and its supervisor starts it again.
async fn answer(it: Listening, part: Part) -> Outcome<()> {
    let ended = api::serve(it.app, it.listener, it.settings, part.token().clone()).await.during("answering requests");
    part.token().cancel();
    ended
}

async fn work(
    engine: worker::Engine,
    sweeping: Sweeping,
    settings: platform::queue::Settings,
    part: Part,
    stop: tokio_util::sync::CancellationToken,
) -> Outcome<()> {
    let (worked, (), (), (), (), ()) = tokio::join!(
        engine.work(&settings),
        engine.sweep_on(),
        engine.schedules_on(),
        engine.deletions_on(),
        engine.watch_on(),
        sweeping.sweep.sweep_on(sweeping.every, &settings.name, &stop)
    );
    stop.cancel();
    drop(part);
    worked.during("working on operations")
}
