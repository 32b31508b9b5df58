//! Being asked to stop, so that a server ends its requests and writes last uses first.

/// Returns when the process is asked to stop: by Ctrl-C, or by SIGTERM where there is that.
pub async fn stop() {
    let interrupt = async { tokio::signal::ctrl_c().await.unwrap_or_else(|error| tracing::error!(%error)) };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(error) => tracing::error!(%error),
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
    tracing::info!("stopping");
}
