//! Clocks that step back: order is that of commits, never that of instants.

use std::time::Duration;

use crate::conformance::Factory;
use crate::conformance::author::{Step, after_start, secret};
use crate::conformance::stop::{Checked, ensure, same};
use crate::conformance::told::is_told;
use crate::conformance::trial::{MANY, Trial};

pub(super) fn order_is_that_of_commits<F: Factory>(trial: Trial<'_, F>) -> Checked {
    steps_back(&trial, |trial| {
        trial.author.step_back(AN_HOUR);
        Ok(())
    })
}

pub(super) fn a_clock_of_the_store_may_step_back<F: Factory>(trial: Trial<'_, F>) -> Checked {
    steps_back(&trial, |trial| Ok(trial.factory.step_clock_back(&trial.place, AN_HOUR)?))
}

/// Each commit comes after the one before, whatever its clock said.
fn steps_back<F: Factory>(trial: &Trial<'_, F>, step_back: impl Fn(&Trial<'_, F>) -> Checked) -> Checked {
    let author = &trial.author;
    let mut step = author.register("contoso", "calendar app")?;
    trial.commit([&step])?;
    trial.note(step.id(), secret(1)?, author.now())?;
    let (mut events, mut steps) = (step.events().to_vec(), vec![step.clone()]);
    let (_, mut cursor) = trial.drain(None, 10)?;
    let mut latest = trial.latest()?;
    for round in 0..6 {
        step_back(trial)?;
        let other = author.register("fabrikam", &format!("other {round}"))?;
        step = author.rename(&step, &format!("name {round}"))?;
        trial.commit([&step])?;
        let used = after_start(LATER + i64::from(round))?;
        trial.note(step.id(), secret(1)?, used)?;
        let noted = trial.last_uses(step.id())?.of(secret(1)?);
        same("the last use, noted after a clock stepped back", noted, Some(used))?;
        trial.commit([&other])?;
        let adopted = author.register("fabrikam", &format!("adopted {round}"))?;
        trial.adopt(&[author.adopted([&adopted])?])?;
        trial.is_kept(&step)?;
        steps.push(step.clone());
        let news: Vec<_> = [&step, &other, &adopted].into_iter().flat_map(Step::events).cloned().collect();
        let (read, end) = trial.drain(Some(&cursor), 2)?;
        is_told("the feed after a clock stepped back", &read, &news)?;
        let (read, _) = trial.drain(Some(&latest), MANY)?;
        is_told("the feed after a clock stepped back, from the cursor that was the latest", &read, &news)?;
        events.extend(news);
        cursor = end;
        latest = trial.latest()?;
        same("what comes after the latest cursor", trial.changes(Some(&latest), 10)?.events, vec![])?;
        let history: Vec<_> = trial.history(step.id())?.into_iter().flat_map(|c| c.events).collect();
        let expected: Vec<_> = steps.iter().flat_map(Step::events).cloned().collect();
        ensure!(
            history == expected,
            "after a clock stepped back, the history is in another order, or is not whole"
        );
    }
    let (read, _) = trial.drain(None, 3)?;
    is_told("the feed after a clock stepped back, from the beginning", &read, &events)
}

/// Milliseconds after the first change, later than any use that the author's clock has shown.
const LATER: i64 = 1_000_000;
const AN_HOUR: Duration = Duration::from_secs(3600);
