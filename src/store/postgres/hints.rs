//! Hints that something has changed: an accelerator for readers of the change feed, who poll without it.
//!
//! One connection of its own listens and tells. A commit only leaves word; the connection passes it on after the commit, at
//! most every [`PAUSE`], so that a thousand commits are a handful of notifications and none of them waits. A hint promises
//! nothing, and that none comes means nothing: connections break, and not every server and pooler carries them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_postgres::{AsyncMessage, Client, Config, NoTls};

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
    pub(super) fn over(config: Config, channel: String) -> Self {
        let changed = watch::Sender::new(());
        let outbox = Arc::new(Outbox::default());
        let Ok(runtime) = Handle::try_current() else {
            return Self { changed, line: None };
        };
        let operator = runtime.spawn(operate(config, channel, Arc::clone(&outbox), changed.clone()));
        Self { changed, line: Some(Line { outbox, operator }) }
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
    /// long as `at_most`. Says whether there was a hint. Must be called within a tokio runtime.
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
async fn operate(config: Config, channel: String, outbox: Arc<Outbox>, changed: watch::Sender<()>) {
    outbox.woken.notified().await;
    loop {
        if let Ok(client) = connect(&config, &channel, &outbox, &changed).await {
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

/// A connection that listens. The task that reads from it ends with the client.
async fn connect(
    config: &Config,
    channel: &str,
    outbox: &Arc<Outbox>,
    changed: &watch::Sender<()>,
) -> Result<Client, Box<dyn std::error::Error + Send + Sync>> {
    let (client, mut connection) = timeout(PATIENCE, config.connect(NoTls)).await??;
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
