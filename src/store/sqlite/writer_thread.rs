//! The thread that writes, and the way to it.
//!
//! Work whose caller has gone is not begun; once begun, it is finished. A caller whose answer does not come learns whether the
//! work was begun: it is told that nothing was written only where that is so.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use futures_channel::oneshot;

use super::queue::Queue;
use super::writer::Writer;
use crate::clock::Stopwatch;
use crate::store::CommitError;
use crate::store_error::{StoreError, StoreErrorKind};

type Job = Box<dyn FnOnce(&mut Writer) + Send>;

/// The way to the thread. Dropping it waits until all work that was begun or has a caller is done and the file is closed.
pub(super) struct WriterThread {
    jobs: Arc<Queue<Job>>,
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
        let jobs = Arc::new(Queue::new());
        let taken = OneEnd(jobs.clone());
        let run = move || {
            let mut writer = writer;
            while let Some(job) = taken.0.next() {
                job(&mut writer);
                writer.tidy();
            }
        };
        let thread = thread::Builder::new().name("client-registry".to_owned()).spawn(run)?;
        Ok(Self { jobs, thread: Some(thread) })
    }

    /// Gives work to the thread, and waits for the answer. The work learns since when it has been waiting.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        is_urgent: bool,
        work: impl FnOnce(&mut Writer, Stopwatch) -> T + Send + 'static,
    ) -> Result<T, NoAnswer> {
        let (answer, answered) = oneshot::channel();
        let given = Stopwatch::start();
        let job: Job = Box::new(move |writer| {
            if !answer.is_canceled() {
                // The caller may go while it is done.
                let _ = answer.send(work(writer, given));
            }
        });
        self.jobs.push(job, is_urgent).map_err(|_| NoAnswer::NotBegun)?;
        answered.await.map_err(|_| NoAnswer::NotFinished)
    }
}

/// The thread's end of the queue. When the thread ends, all callers that wait get an answer, and no others wait for it.
struct OneEnd(Arc<Queue<Job>>);

impl Drop for OneEnd {
    fn drop(&mut self) {
        drop(self.0.abandon());
    }
}

impl Drop for WriterThread {
    fn drop(&mut self) {
        self.jobs.close();
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
