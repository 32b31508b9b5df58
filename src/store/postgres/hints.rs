//! Hints that something has changed: an accelerator for readers of the change feed, who poll without it.
//!
//! One connection of its own listens and tells. A commit only leaves word; the connection passes it on after the commit, at
//! most every [`PAUSE`], so that a thousand commits are a handful of notifications and none of them waits. A hint promises
//! nothing, and that none comes means nothing: connections break, and not every server and pooler carries them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{AsyncMessage, Client, Config, Socket};

/// What connections are made with.
pub(super) trait Tls: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static {}

impl<T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static> Tls for T {}

/// Tells and listens, from the first commit or the first listener on.
#[derive(Debug)]
pub(super) struct Hints {
    changed: watch::Sender<()>,
    line: Option<Line>,
}

/// The way to the other nodes.
#[derive(Debug)]
struct Line {
    outbox: Arc<Outbox>,
    operator: JoinHandle<()>,
}

/// What is to be passed on.
#[derive(Debug, Default)]
struct Outbox {
    /// Somebody wants to hear or to tell.
    woken: Notify,
    told: std::sync::atomic::AtomicBool,
}

impl Hints {
    /// Hints within this process alone.
    pub(super) fn local() -> Self {
        Self { changed: watch::Sender::new(()), line: None }
    }

    /// Hints over a connection of its own, on a channel. Connects when it is needed.
    pub(super) fn over<T: Tls>(config: Config, tls: T, channel: String) -> Self
    where
        T::Stream: Send + Sync,
        T::TlsConnect: Send + Sync,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let changed = watch::Sender::new(());
        let outbox = Arc::default();
        let operator = operate(config, tls, channel, Arc::clone(&outbox), changed.clone());
        Self::with(changed, outbox, operator)
    }

    /// Tells others through a pool, and hears of none.
    pub(super) fn through(pool: Pool, channel: String) -> Self {
        let outbox = Arc::default();
        let operator = tell_through(pool, channel, Arc::clone(&outbox));
        Self::with(watch::Sender::new(()), outbox, operator)
    }

    fn with(
        changed: watch::Sender<()>,
        outbox: Arc<Outbox>,
        operator: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        let line =
            Handle::try_current().ok().map(|runtime| Line { outbox, operator: runtime.spawn(operator) });
        Self { changed, line }
    }

    /// Something was committed here.
    pub(super) fn tell(&self) {
        self.changed.send_replace(());
        if let Some(line) = &self.line {
            line.outbox.told.store(true, std::sync::atomic::Ordering::Release);
            line.outbox.woken.notify_one();
        }
    }

    pub(super) fn listen(&self) -> ChangeHints {
        if let Some(line) = &self.line {
            line.outbox.woken.notify_one();
        }
        ChangeHints { changed: Mutex::new(self.changed.subscribe()) }
    }
}

impl Drop for Hints {
    fn drop(&mut self) {
        if let Some(line) = &self.line {
            line.operator.abort();
        }
    }
}

/// Says when it is worth while to look at the change feed. See [`PostgresStore::hints`](super::PostgresStore::hints).
#[derive(Debug)]
pub struct ChangeHints {
    /// With what this listener has heard so far.
    changed: Mutex<watch::Receiver<()>>,
}

impl ChangeHints {
    /// Waits until somebody has committed since the last time, here or, as far as it is heard of, elsewhere, but at most as
    /// long as `at_most`. Says whether there was a hint.
    ///
    /// # Panics
    /// Outside a tokio runtime that has its timers switched on.
    pub async fn wait(&self, at_most: Duration) -> bool {
        let mut changed = self.heard().clone();
        match timeout(at_most, changed.changed()).await {
            Ok(Ok(())) => {
                *self.heard() = changed;
                true
            }
            Ok(Err(_)) => {
                // The store is gone, and no hint will ever come.
                sleep(at_most).await;
                false
            }
            Err(_) => false,
        }
    }

    fn heard(&self) -> MutexGuard<'_, watch::Receiver<()>> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the connection, for as long as the store lives.
async fn operate<T: Tls>(
    config: Config,
    tls: T,
    channel: String,
    outbox: Arc<Outbox>,
    changed: watch::Sender<()>,
) where
    T::Stream: Send,
    T::TlsConnect: Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    outbox.woken.notified().await;
    loop {
        if let Ok(client) = connect(&config, tls.clone(), &channel, &outbox, &changed).await {
            // What was told while nobody listened was not heard.
            changed.send_replace(());
            pass_on(&client, &channel, &outbox).await;
        }
        sleep(BACK_OFF).await;
    }
}

/// Passes on what is told, until the connection breaks.
async fn pass_on(client: &Client, channel: &str, outbox: &Outbox) {
    while !client.is_closed() {
        if outbox.told.swap(false, std::sync::atomic::Ordering::AcqRel) {
            let sent = timeout(PATIENCE, client.batch_execute(&format!("NOTIFY {channel}"))).await;
            if !matches!(sent, Ok(Ok(()))) {
                return;
            }
            sleep(PAUSE).await;
        } else {
            outbox.woken.notified().await;
        }
    }
}

/// Passes on what is told, over whatever connection is free.
async fn tell_through(pool: Pool, channel: String, outbox: Arc<Outbox>) {
    loop {
        outbox.woken.notified().await;
        if outbox.told.swap(false, std::sync::atomic::Ordering::AcqRel)
            && let Ok(Ok(connection)) = timeout(PATIENCE, pool.get()).await
        {
            let sent = timeout(PATIENCE, connection.batch_execute(&format!("NOTIFY {channel}"))).await;
            if sent.is_err() {
                // An answer may still come.
                drop(Object::take(connection));
            }
        }
        sleep(PAUSE).await;
    }
}

/// A connection that listens. The task that reads from it ends with the client.
async fn connect<T: Tls>(
    config: &Config,
    tls: T,
    channel: &str,
    outbox: &Arc<Outbox>,
    changed: &watch::Sender<()>,
) -> Result<Client, Box<dyn std::error::Error + Send + Sync>>
where
    T::Stream: Send,
    T::TlsConnect: Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    let (client, mut connection) = timeout(PATIENCE, config.connect(tls)).await??;
    let (outbox, changed) = (Arc::clone(outbox), changed.clone());
    tokio::spawn(async move {
        while let Some(Ok(message)) = std::future::poll_fn(|context| connection.poll_message(context)).await {
            if matches!(message, AsyncMessage::Notification(_)) {
                changed.send_replace(());
            }
        }
        outbox.woken.notify_one();
    });
    timeout(PATIENCE, client.batch_execute(&format!("LISTEN {channel}"))).await??;
    Ok(client)
}

/// Between two notifications of one node.
const PAUSE: Duration = Duration::from_millis(20);
/// Between two attempts to connect.
const BACK_OFF: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(5);
