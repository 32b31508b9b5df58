//! Runs the cases, each on its own thread and with a time limit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{
    RecvTimeoutError, {self},
};
use std::time::Duration;
use std::{fmt, thread};

use crate::conformance::stop::Stop;
use crate::conformance::together::in_words;
use crate::conformance::trial::Trial;
use crate::conformance::watch::Calls;
use crate::conformance::{CaseReport, Factory, Report, Verdict, cases, find};

/// Runs the cases against the stores of one factory.
///
/// ```
/// # use std::time::Duration;
/// # use client_registry::conformance::{Factory, Suite};
/// # fn example(factory: impl Factory) {
/// let suite = Suite::new(factory)
///     .time_limit(Duration::from_secs(20))
///     .on_start(|case| eprintln!("{case} starts"));
/// suite.run().assert_complete();
/// # }
/// ```
pub struct Suite<F> {
    factory: Arc<F>,
    time_limit: Duration,
    on_start: Box<dyn Fn(&'static str) + Send + Sync>,
}

impl<F: Factory> Suite<F> {
    /// Creates a suite for the stores of this factory, with a time limit of two minutes for each case.
    ///
    /// The name of each case is written to the standard error when the case starts. The test harness shows that only for a test
    /// that fails, or with `--nocapture`.
    #[must_use]
    pub fn new(factory: F) -> Self {
        Self {
            factory: Arc::new(factory),
            time_limit: TIME_LIMIT,
            on_start: Box::new(|name| eprintln!("conformance: {name}")),
        }
    }

    /// Sets the time limit of each case. The longest case makes some thousand commits.
    ///
    /// A case that takes longer has failed, and its report names the calls that have not returned. Its thread cannot be stopped:
    /// the thread, the store and its place stay until the process ends.
    #[must_use]
    pub fn time_limit(mut self, time_limit: Duration) -> Self {
        self.time_limit = time_limit;
        self
    }

    /// Calls a function with the name of each case when the case starts, instead of writing the name to the standard error.
    #[must_use]
    pub fn on_start(mut self, on_start: impl Fn(&'static str) + Send + Sync + 'static) -> Self {
        self.on_start = Box::new(on_start);
        self
    }

    /// Runs every case.
    pub fn run(&self) -> Report {
        Report::new(cases().filter_map(|name| self.run_case(name)).collect())
    }

    /// Runs one case. Returns `None` if there is no case of this name.
    pub fn run_case(&self, name: &str) -> Option<CaseReport> {
        let (name, case) = find::<F>(name)?;
        (self.on_start)(name);
        let (factory, calls) = (Arc::clone(&self.factory), Arc::new(Calls::default()));
        let (answer, answered) = mpsc::channel();
        let watched = Arc::clone(&calls);
        let tried = thread::Builder::new().name(name.to_owned()).spawn(move || {
            let tried = catch_unwind(AssertUnwindSafe(|| Trial::begin(&*factory, watched).and_then(case)));
            // Dropped before the answer is sent, so that a caller that has the report is the only owner of the factory.
            drop(factory);
            // After the time limit, nobody listens any longer.
            let _ = answer.send(match tried {
                Ok(Ok(())) => Verdict::Passed,
                Ok(Err(Stop::Failed(what) | Stop::Unanswered(what))) => Verdict::Failed(what),
                Ok(Err(Stop::Unprepared(why))) => {
                    Verdict::Failed(format!("this is an error of the suite, not of the store: {why}"))
                }
                Ok(Err(Stop::Skipped(skip))) => Verdict::Skipped(skip.to_string()),
                Err(panic) => Verdict::Failed(format!("the case panicked: {}", in_words(&*panic))),
            });
        });
        let verdict = match tried.map(|_| answered.recv_timeout(self.time_limit)) {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(RecvTimeoutError::Timeout)) => Verdict::Failed(format!(
                "the case took longer than {:?}; calls under way: {calls}",
                self.time_limit
            )),
            Ok(Err(RecvTimeoutError::Disconnected)) => {
                Verdict::Failed("the thread of the case ended without a verdict".to_owned())
            }
            Err(error) => Verdict::Failed(format!("the thread of the case could not be started: {error}")),
        };
        Some(CaseReport { name, verdict })
    }
}

impl<F> fmt::Debug for Suite<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suite").field("time_limit", &self.time_limit).finish_non_exhaustive()
    }
}

const TIME_LIMIT: Duration = Duration::from_secs(120);
