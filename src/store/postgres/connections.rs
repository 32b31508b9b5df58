//! The connections of a store: made when they are needed, kept, and handed out to one call at a time.
//!
//! A place is the right to one connection. A call that has a place takes a kept connection, or makes one. If the server has no
//! connection to spare (its limit, or the role's, is below ours), the place is held back for a moment, and the call waits for
//! one of the connections that exist.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

use super::dial::{Connection, Dialer};
use super::failure::Failure;

pub(super) struct Connections {
    dialer: Arc<Dialer>,
    /// What a new connection is told first; nothing behind a pooler.
    settings: Settings,
    places: Semaphore,
    kept: Mutex<Kept>,
}

/// Statements that settle a session: those that must succeed, and those that only make it faster.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    pub(super) needed: String,
    pub(super) wanted: Vec<&'static str>,
}

#[derive(Default)]
struct Kept {
    /// The one that was used last is used next.
    idle: Vec<Connection>,
    /// Places that are held back, since the server had no connection for them.
    held_back: usize,
    /// When one was last held back, or freed again.
    changed: Option<Instant>,
}

/// A connection that is handed out; it goes back when this is dropped.
pub(super) struct Lease {
    connection: Option<Connection>,
    place: Place,
}

/// The right to one connection, until it is dropped or held back.
struct Place(Option<Arc<Connections>>);

impl Connections {
    pub(super) fn new(dialer: Arc<Dialer>, most: usize, settings: Settings) -> Self {
        Self { dialer, settings, places: Semaphore::new(most), kept: Mutex::default() }
    }

    /// Returns a connection that no other call uses.
    pub(super) async fn lease(self: &Arc<Self>, within: Duration) -> Result<Lease, Failure> {
        let deadline = Instant::now() + within;
        let mut refused = None;
        loop {
            self.place(deadline).await.ok_or_else(|| refused.take().unwrap_or(Failure::NoneFree(within)))?;
            let place = Place(Some(Arc::clone(self)));
            if let Some(connection) = self.kept().next() {
                return Ok(Lease { connection: Some(connection), place });
            }
            match timeout_at(deadline, self.connect()).await {
                Ok(Ok(connection)) => return Ok(Lease { connection: Some(connection), place }),
                Ok(Err(failure)) if failure.is_out_of_connections() => {
                    place.hold_back();
                    refused = Some(failure);
                }
                Ok(Err(failure)) => return Err(failure),
                Err(_) => return Err(Failure::NotConnected(within)),
            }
        }
    }

    /// Waits for a place, in the order of arrival. A caller that waits frees places that are held back, since the caller that
    /// held them back may have gone.
    async fn place(&self, deadline: Instant) -> Option<()> {
        let mut place = pin!(self.places.acquire());
        loop {
            let again = self.release_held_back().unwrap_or_else(|| Instant::now() + PAUSE).min(deadline);
            match timeout_at(again, place.as_mut()).await {
                Ok(place) => return place.ok().map(SemaphorePermit::forget),
                Err(_) if again < deadline => {}
                Err(_) => return None,
            }
        }
    }

    async fn connect(&self) -> Result<Connection, Failure> {
        let connection = self.dialer.connection().await?;
        let sent = |source| Failure::Server { sent: false, source };
        if !self.settings.needed.is_empty() {
            connection.client.batch_execute(&self.settings.needed).await.map_err(sent)?;
        }
        for wanted in &self.settings.wanted {
            let _ = connection.client.batch_execute(wanted).await;
        }
        Ok(connection)
    }

    /// Frees one place that is held back, when it is time for another attempt. Returns when that is for the next one.
    fn release_held_back(&self) -> Option<Instant> {
        let mut kept = self.kept();
        if kept.held_back == 0 {
            return None;
        }
        let now = Instant::now();
        if kept.changed.is_none_or(|changed| changed + PAUSE <= now) {
            kept.held_back -= 1;
            kept.changed = Some(now);
            self.places.add_permits(1);
        }
        kept.changed.map(|changed| changed + PAUSE)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// A connection that was open when it was last heard of.
    fn next(&mut self) -> Option<Connection> {
        while let Some(connection) = self.idle.pop() {
            if !connection.client.is_closed() {
                return Some(connection);
            }
        }
        None
    }
}

impl Lease {
    pub(super) fn connection(&self) -> Option<&Connection> {
        self.connection.as_ref()
    }

    /// Closes the connection in place of giving it back.
    pub(super) fn close(mut self) {
        drop(self.connection.take());
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take()
            && !connection.client.is_closed()
            && let Some(connections) = &self.place.0
        {
            connections.kept().idle.push(connection);
        }
    }
}

impl Place {
    fn hold_back(mut self) {
        if let Some(connections) = self.0.take() {
            let mut kept = connections.kept();
            kept.held_back += 1;
            kept.changed = Some(Instant::now());
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(connections) = &self.0 {
            connections.places.add_permits(1);
        }
    }
}

/// Between two attempts to get more connections than the server has let us have.
const PAUSE: Duration = Duration::from_millis(250);
