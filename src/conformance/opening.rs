//! Stores that are opened and closed while another store of the place writes. Opening may repair what a crash left, but must not
//! mistake a write that is under way for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::conformance::Factory;
use crate::conformance::stop::Checked;
use crate::conformance::together::{Job, at_once};
use crate::conformance::told::is_told;
use crate::conformance::trial::{MANY, Trial};

pub(super) fn opening_beside_a_writer_loses_nothing<F: Factory>(mut trial: Trial<'_, F>) -> Checked {
    trial.factory.share()?;
    let author = Arc::clone(&trial.author);
    let mut events = Vec::new();
    for round in 0..ROUNDS {
        let steps = (0..COMMITS)
            .map(|number| author.register("contoso", &format!("app {number} of round {round}")))
            .collect::<Checked<Vec<_>>>()?;
        let commits = steps.iter().map(|step| author.commit([step])).collect::<Checked<Vec<_>>>()?;
        let is_done = AtomicBool::new(false);
        let jobs: Vec<Job<'_, Checked>> = vec![
            Box::new(|| {
                let _done = Done(&is_done);
                commits.iter().try_for_each(|commit| trial.send(commit))
            }),
            Box::new(|| {
                loop {
                    drop(trial.beside()?);
                    if is_done.load(Ordering::Acquire) {
                        return Ok(());
                    }
                }
            }),
        ];
        at_once(jobs)?.into_iter().collect::<Checked>()?;
        trial = trial.opened_again()?;
        for step in &steps {
            trial.is_kept(step).map_err(|stop| stop.when("after stores were opened beside a writer"))?;
            events.extend_from_slice(step.events());
        }
    }
    is_told("the feed after stores were opened beside a writer", &trial.drain(None, MANY)?.0, &events)
}

/// Marks the writer as ended when it is dropped, also if the writer failed.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Enough that a commit and an opening overlap, though each takes only microseconds.
const ROUNDS: usize = 8;
const COMMITS: usize = 50;
