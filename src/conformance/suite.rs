//! Runs the cases, each on a thread of its own and for a limited time.

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

/// The cases, to be run against the stores of one factory.
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
    /// The suite for the stores of this factory: two minutes for each case, whose name goes to the standard error when it
    /// starts. (Tests show that only when they fail, or when they are told `--nocapture`.)
    #[must_use]
    pub fn new(factory: F) -> Self {
        Self {
            factory: Arc::new(factory),
            time_limit: TIME_LIMIT,
            on_start: Box::new(|name| eprintln!("conformance: {name}")),
        }
    }

    /// Sets how long a case may take. The longest case makes some thousand commits.
    ///
    /// A case that takes longer has failed, and its report names the calls that it waits for. Nobody can end its thread, so
    /// the thread stays until the process ends, and so do the store and its place.
    #[must_use]
    pub fn time_limit(mut self, time_limit: Duration) -> Self {
        self.time_limit = time_limit;
        self
    }

    /// Calls a function with the name of each case when it starts, instead of writing it to the standard error.
    #[must_use]
    pub fn on_start(mut self, on_start: impl Fn(&'static str) + Send + Sync + 'static) -> Self {
        self.on_start = Box::new(on_start);
        self
    }

    /// Puts the store through every case.
    pub fn run(&self) -> Report {
        Report::new(cases().filter_map(|name| self.run_case(name)).collect())
    }

    /// Puts the store through one case; `None` when there is no case of this name.
    pub fn run_case(&self, name: &str) -> Option<CaseReport> {
        let (name, case) = find::<F>(name)?;
        (self.on_start)(name);
        let (factory, calls) = (Arc::clone(&self.factory), Arc::new(Calls::default()));
        let (answer, answered) = mpsc::channel();
        let watched = Arc::clone(&calls);
        let tried = thread::Builder::new().name(name.to_owned()).spawn(move || {
            let tried = catch_unwind(AssertUnwindSafe(|| Trial::begin(&*factory, watched).and_then(case)));
            // Given back before the answer: whoever has the report has the factory for themselves again.
            drop(factory);
            // Nobody listens any longer when it took too long.
            let _ = answer.send(match tried {
                Ok(Ok(())) => Verdict::Passed,
                Ok(Err(Stop::Failed(what) | Stop::Unanswered(what))) => Verdict::Failed(what),
                Ok(Err(Stop::Unprepared(why))) => {
                    Verdict::Failed(format!("this is an error of the suite, not of the store: {why}"))
                }
                Ok(Err(Stop::Skipped(skip))) => Verdict::Skipped(skip.to_string()),
                Err(panic) => Verdict::Failed(format!("something panicked: {}", in_words(&*panic))),
            });
        });
        let verdict = match tried.map(|_| answered.recv_timeout(self.time_limit)) {
            Ok(Ok(verdict)) => verdict,
            Ok(Err(RecvTimeoutError::Timeout)) => Verdict::Failed(format!(
                "the case took longer than {:?}; calls under way: {calls}",
                self.time_limit
            )),
            Ok(Err(RecvTimeoutError::Disconnected)) => {
                Verdict::Failed("the case ended without a word".to_owned())
            }
            Err(error) => Verdict::Failed(format!("no thread could be started for the case: {error}")),
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
