use tokio::signal::unix::{SignalKind, signal};

/// Returns when the process is asked to end: Ctrl-C or SIGTERM.
pub(crate) async fn asked_to_end() {
    let Ok(mut term) = signal(SignalKind::terminate()) else { return wait_for_ctrl_c().await };
    tokio::select! {
        () = wait_for_ctrl_c() => {}
        _ = term.recv() => {}
    }
}

async fn wait_for_ctrl_c() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Nobody can tell us to end: then we don't.
        std::future::pending::<()>().await;
    }
}
