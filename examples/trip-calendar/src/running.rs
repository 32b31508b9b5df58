//! The trip calendar as a server: in a process of its own, or in that of the platform, to try both.

use std::error::Error;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::{Config, TripCalendar};

/// A trip calendar that serves, until it is [stopped](Self::stop) or dropped.
#[derive(Debug)]
pub struct Running {
    url: String,
    stop: oneshot::Sender<()>,
    server: JoinHandle<std::io::Result<()>>,
}

/// Starts a trip calendar in a task of its own.
pub async fn start(config: Config) -> Result<Running, Box<dyn Error + Send + Sync>> {
    let listener = TcpListener::bind(&config.listen).await?;
    let address = listener.local_addr()?;
    // A name of its own: browsers send cookies to every port of a host, so those of a platform on 127.0.0.1 would come here.
    let url = match address.ip().is_loopback() {
        true => format!("http://localhost:{}", address.port()),
        false => format!("http://{address}"),
    };
    let calendar = TripCalendar::new(config)?;
    let (stop, stopped) = oneshot::channel();
    let server = tokio::spawn(async move {
        let server = axum::serve(listener, calendar.router())
            .with_graceful_shutdown(async { drop(stopped.await) })
            .into_future();
        tokio::select! {
            served = server => served,
            () = calendar.keep_current() => Ok(()),
        }
    });
    Ok(Running { url, stop, server })
}

impl Running {
    /// Returns the address that browsers and the platform use.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops it. Requests that are under way are answered first.
    pub async fn stop(self) -> Result<(), Box<dyn Error + Send + Sync>> {
        drop(self.stop);
        Ok(self.server.await??)
    }
}
