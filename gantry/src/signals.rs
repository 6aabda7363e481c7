use tokio::signal::unix::{SignalKind, signal};

/// Returns when the process is asked to end: Ctrl-C or SIGTERM. Listens from the call on, not only once it is awaited:
/// whoever is told that we are there may ask us to end at once.
pub(crate) fn asked_to_end() -> impl Future<Output = ()> {
    let signals = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
    async move {
        let [Ok(mut interrupt), Ok(mut terminate)] = signals else {
            // Nobody can tell us to end: then we don't.
            return std::future::pending().await;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
}
