//! Hints that something has changed: an accelerator for readers of the change feed, who poll without it.
//!
//! One connection of its own listens and tells. A commit only leaves word; the connection passes it on after the commit, at
//! most every [`PAUSE`], so that a thousand commits are a handful of notifications and none of them waits. A hint promises
//! nothing, and that none comes means nothing: connections break, and not every server and pooler carries them.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use deadpool_postgres::{Object, Pool};
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_postgres::{AsyncMessage, Client};

use super::dial::Dialer;

/// Tells and listens, from the first commit or the first listener on.
#[derive(Debug)]
pub(super) struct Hints {
    changed: watch::Sender<()>,
    line: Option<Arc<Line>>,
}

/// The way to the other nodes.
struct Line {
    outbox: Arc<Outbox>,
    operate: Box<dyn Fn() -> Operation + Send + Sync>,
    /// The task that operates it; it ends with the runtime that it was started on.
    operator: Mutex<Option<JoinHandle<()>>>,
}

type Operation = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What is to be passed on.
#[derive(Debug, Default)]
struct Outbox {
    /// A listener was added, or there is something to tell.
    woken: Notify,
    told: AtomicBool,
}

impl Hints {
    /// Hints within this process alone.
    pub(super) fn local() -> Self {
        Self { changed: watch::Sender::new(()), line: None }
    }

    /// Hints over a connection of its own, on a channel. Connects when it is needed.
    pub(super) fn over(dialer: Arc<Dialer>, channel: String) -> Self {
        let changed = watch::Sender::new(());
        let (outbox, heard): (Arc<Outbox>, _) = (Arc::default(), changed.clone());
        let for_line = Arc::clone(&outbox);
        let operate = move || -> Operation {
            Box::pin(operate(Arc::clone(&dialer), channel.clone(), Arc::clone(&outbox), heard.clone()))
        };
        Self { changed, line: Some(Line::new(for_line, Box::new(operate))) }
    }

    /// Tells others through a pool, and hears of none.
    pub(super) fn through(pool: Pool, channel: String) -> Self {
        let outbox: Arc<Outbox> = Arc::default();
        let for_line = Arc::clone(&outbox);
        let operate = move || -> Operation {
            Box::pin(tell_through(pool.clone(), channel.clone(), Arc::clone(&outbox)))
        };
        Self { changed: watch::Sender::new(()), line: Some(Line::new(for_line, Box::new(operate))) }
    }

    /// Something was committed here.
    pub(super) fn tell(&self) {
        self.changed.send_replace(());
        if let Some(line) = &self.line {
            line.outbox.told.store(true, Ordering::Release);
            line.wake();
        }
    }

    pub(super) fn listen(&self) -> ChangeHints {
        if let Some(line) = &self.line {
            line.wake();
        }
        ChangeHints {
            heard: Mutex::new(Heard { changed: self.changed.subscribe(), last: None }),
            line: self.line.as_ref().map(Arc::downgrade).unwrap_or_default(),
        }
    }
}

impl Line {
    fn new(outbox: Arc<Outbox>, operate: Box<dyn Fn() -> Operation + Send + Sync>) -> Arc<Self> {
        Arc::new(Self { outbox, operate, operator: Mutex::default() })
    }

    /// Wakes the operator; starts one where there is none, or where its runtime has ended. Outside a runtime none is started.
    fn wake(&self) {
        let mut operator = self.operator.lock().unwrap_or_else(PoisonError::into_inner);
        if operator.as_ref().is_none_or(JoinHandle::is_finished) {
            *operator = Handle::try_current().ok().map(|runtime| runtime.spawn((self.operate)()));
        }
        drop(operator);
        self.outbox.woken.notify_one();
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let operator = self.operator.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(operator) = operator {
            operator.abort();
        }
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("outbox", &self.outbox).finish_non_exhaustive()
    }
}

/// Hints that the change feed has something new to read. [`PostgresStore::hints`](super::PostgresStore::hints) returns them.
#[derive(Debug)]
pub struct ChangeHints {
    heard: Mutex<Heard>,
    line: Weak<Line>,
}

/// What a listener has heard so far.
#[derive(Debug, Clone)]
struct Heard {
    changed: watch::Receiver<()>,
    /// When it was last told that there was a hint.
    last: Option<Instant>,
}

impl ChangeHints {
    /// Waits for a hint that a node has committed since the last call, this node or another, for at most `at_most`. Returns
    /// whether there was one.
    ///
    /// Hints that follow each other closely are one: after a hint the next one comes 50 milliseconds later at the earliest. So
    /// a client of the database that sends notifications without end does not make followers poll more often than that.
    ///
    /// # Panics
    /// Outside a tokio runtime that has its timers switched on.
    pub async fn wait(&self, at_most: Duration) -> bool {
        if let Some(line) = self.line.upgrade() {
            // Its runtime may have ended since.
            line.wake();
        }
        let mut heard = self.heard().clone();
        match timeout(at_most, heard.next()).await {
            Ok(true) => {
                *self.heard() = heard;
                true
            }
            Ok(false) => {
                // The store is gone, and no hint will ever come.
                sleep(at_most).await;
                false
            }
            Err(_) => false,
        }
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Heard {
    /// Waits for the next hint; answers `false` when none will come any more.
    async fn next(&mut self) -> bool {
        if self.changed.changed().await.is_err() {
            return false;
        }
        if let Some(last) = self.last {
            sleep_until(last + PACE).await;
        }
        // What came meanwhile is part of this one.
        self.changed.borrow_and_update();
        self.last = Some(Instant::now());
        true
    }
}

/// Keeps the connection, for as long as the store lives.
async fn operate(dialer: Arc<Dialer>, channel: String, outbox: Arc<Outbox>, changed: watch::Sender<()>) {
    outbox.woken.notified().await;
    loop {
        if let Ok(client) = connect(&dialer, &channel, &outbox, &changed).await {
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
        if outbox.told.swap(false, Ordering::AcqRel) {
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
        if outbox.told.swap(false, Ordering::AcqRel)
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
async fn connect(
    dialer: &Dialer,
    channel: &str,
    outbox: &Arc<Outbox>,
    changed: &watch::Sender<()>,
) -> Result<Client, Box<dyn std::error::Error + Send + Sync>> {
    let changed = changed.clone();
    let hear = move |message: AsyncMessage| {
        if matches!(message, AsyncMessage::Notification(_)) {
            changed.send_replace(());
        }
    };
    let (client, reading) = timeout(PATIENCE, dialer.dial(Box::new(hear))).await??;
    let outbox = Arc::clone(outbox);
    tokio::spawn(async move {
        let _ = reading.await;
        outbox.woken.notify_one();
    });
    timeout(PATIENCE, client.batch_execute(&format!("LISTEN {channel}"))).await??;
    Ok(client)
}

/// Between two hints to one listener.
const PACE: Duration = Duration::from_millis(50);
/// Between two notifications of one node.
const PAUSE: Duration = Duration::from_millis(20);
/// Between two attempts to connect.
const BACK_OFF: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(5);
