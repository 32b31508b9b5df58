//! The thread that writes, and the way to it.
//!
//! A change whose caller has gone is not begun; once begun, it is finished. A caller whose answer does not come learns whether it
//! was begun: it is told that nothing was written only where that is so.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use super::batch::{self, Answer, Change, Sharing, Work};
use super::queue::Queue;
use super::writer::Writer;
use crate::store::CommitError;
use crate::store_error::{StoreError, StoreErrorKind};

/// The way to the thread. Dropping it waits until all work that was begun or has a caller is done and the file is closed.
pub(super) struct WriterThread {
    changes: Arc<Queue<Change>>,
    thread: Option<JoinHandle<()>>,
}

/// Why there is no answer.
pub(super) enum NoAnswer {
    /// The thread had ended before.
    NotBegun,
    /// The thread ended meanwhile.
    NotFinished,
}

impl WriterThread {
    pub(super) fn start(writer: Writer) -> Result<Self, std::io::Error> {
        let changes = Arc::new(Queue::new());
        let taken = OneEnd(changes.clone());
        let run = move || {
            let mut writer = writer;
            while let Some((batch, is_urgent)) = taken.0.next(MOST_TOGETHER, Change::shares) {
                taken.0.put_back(batch::make(&mut writer, batch), is_urgent);
                writer.tidy();
            }
        };
        let thread = thread::Builder::new().name("client-registry".to_owned()).spawn(run)?;
        Ok(Self { changes, thread: Some(thread) })
    }

    /// Gives a change to the thread, and waits for the answer.
    pub(super) async fn run(
        &self,
        is_urgent: bool,
        sharing: Sharing,
        work: Work,
    ) -> Result<Answer, NoAnswer> {
        let (change, answered) = Change::given_now(sharing, work);
        self.changes.push(change, is_urgent).map_err(|_| NoAnswer::NotBegun)?;
        answered.await.map_err(|_| NoAnswer::NotFinished)
    }
}

/// The thread's end of the queue. When the thread ends, all callers that wait get an answer, and no others wait for it.
struct OneEnd(Arc<Queue<Change>>);

impl Drop for OneEnd {
    fn drop(&mut self) {
        drop(self.0.abandon());
    }
}

impl Drop for WriterThread {
    fn drop(&mut self) {
        self.changes.close();
        // The last clone may go with a task that the thread itself wakes: it cannot wait for itself.
        if let Some(thread) = self.thread.take().filter(|t| t.thread().id() != thread::current().id()) {
            let _ = thread.join();
        }
    }
}

impl From<NoAnswer> for StoreError {
    fn from(_: NoAnswer) -> Self {
        Self::with_source(
            StoreErrorKind::Unavailable,
            "the thread that writes has ended: open the store again",
        )
    }
}

impl From<NoAnswer> for CommitError {
    fn from(no_answer: NoAnswer) -> Self {
        match no_answer {
            NoAnswer::NotBegun => Self::NotWritten(no_answer.into()),
            NoAnswer::NotFinished => Self::Failed(no_answer.into()),
        }
    }
}

/// The most changes that share a transaction. The last of them waits for the work of all others, some microseconds each.
const MOST_TOGETHER: usize = 64;
