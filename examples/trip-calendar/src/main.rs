//! The trip calendar in a process of its own.

use std::error::Error;

use tracing_subscriber::EnvFilter;
use trip_calendar::Config;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let calendar = trip_calendar::start(Config::from_env()?).await?;
    println!("the trip calendar is on {}", calendar.url());
    stop().await?;
    calendar.stop().await?;
    println!("stopped");
    Ok(())
}

/// Returns when the process is asked to stop.
async fn stop() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
