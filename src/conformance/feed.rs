//! The change feed: one order per client, no event skipped, none twice, whatever is written meanwhile.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::conformance::Factory;
use crate::conformance::author::{Author, Step};
use crate::conformance::records::{Done, chain, id_of};
use crate::conformance::stop::{Checked, ensure, same};
use crate::conformance::together::{Job, Pinned, Slow, at_once, overtaking};
use crate::conformance::told::is_told;
use crate::conformance::trial::{MANY, Trial, is_error};
use crate::event::{Event, EventText};
use crate::store::{Cursor, Store};
use crate::store_error::StoreErrorKind;
use crate::value::{ClientId, Revision};

pub(super) fn the_feed_has_each_trail_in_order<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let trails = some_trails(&trial)?;
    for limit in [1, 2, 3, 7, 100, usize::MAX] {
        is_told(&format!("the feed, {limit} at a time"), &trial.drain(None, limit)?.0, &all_of(&trails))?;
    }
    Ok(())
}

pub(super) fn the_feed_goes_on_from_every_cursor<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let empty = trial.changes(None, 10)?;
    same("the feed of an empty store", empty.events, vec![])?;
    let mut cursors = vec![(Vec::new(), empty.cursor)];
    let before = some_trails(&trial)?;
    let written = all_of(&before);
    loop {
        let Some((seen, cursor)) = cursors.last() else { return Ok(()) };
        let changes = trial.changes(Some(cursor), 1)?;
        if changes.events.is_empty() {
            break;
        }
        let seen = [seen.clone(), changes.events].concat();
        if seen.len() > written.len() {
            is_told("the feed, one at a time", &seen, &written)?;
        }
        cursors.push((seen, changes.cursor));
    }
    let late = author.register("fabrikam", "late")?;
    trial.commit([&late])?;
    let mut trails = before;
    trails.insert(Some(late.id().clone()), late.events().to_vec());
    let (_, end) = trial.drain(None, 5)?;
    for (seen, cursor) in cursors {
        let (rest, _) = trial.drain(Some(&cursor), 3)?;
        let position = seen.len();
        let what = format!("the events of a reader that came back with the cursor after {position} events");
        is_told(&what, &[seen, rest].concat(), &all_of(&trails))?;
    }
    // The cursor is stored as text and read back.
    let kept = Cursor::new(end.as_str());
    same("the feed after its end", trial.changes(Some(&kept), 10)?.events, vec![])
}

pub(super) fn the_feed_has_only_events<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let step = author.serving("contoso", "calendar app", &["calendar"])?;
    trial.commit([&step])?;
    let expected = step.events().to_vec();
    trial.commit([&author.reseal(&step)?])?;
    trial.send(&author.commit_of(vec![author.registry_record(None)?])?)?;
    same("the feed after commits without events", trial.drain(None, 10)?.0, expected.clone())?;
    let refused = author.commit([&author.serving("fabrikam", "new", &["calendar"])?])?;
    ensure!(trial.try_send(&refused).is_err(), "an add-in was taken from another client");
    trial.note(step.id(), super::author::secret(1)?, author.now())?;
    same("the feed after calls that commit nothing", trial.drain(None, 10)?.0, expected)
}

pub(super) fn unknown_cursors_are_lost<F: Factory>(trial: Trial<'_, F>) -> Checked {
    some_trails(&trial)?;
    let (_, own) = trial.drain(None, 10)?;
    let garbled = [
        String::new(),
        " ".to_owned(),
        "no cursor".to_owned(),
        "'; --".to_owned(),
        "\u{e9}\u{0}\u{1f511}".to_owned(),
        "9".repeat(10_000),
        format!("{}x", own.as_str()),
        format!("x{}", own.as_str()),
    ];
    for garbled in garbled {
        let what = format!("the feed after an invalid cursor of {} bytes", garbled.len());
        let answer = trial.wait(trial.store.changes(Some(&Cursor::new(garbled)), 10));
        is_error(&what, answer, StoreErrorKind::CursorLost)?;
    }
    same("the feed after its own cursor", trial.changes(Some(&own), 10)?.events, vec![])
}

pub(super) fn cursors_of_another_store_are_lost<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let elsewhere = trial.elsewhere()?;
    some_trails(&trial)?;
    some_trails(&elsewhere)?;
    for round in 0..2 {
        // First a store with as many events, then one with more.
        for limit in [1, MANY] {
            let foreign = elsewhere.changes(None, limit)?.cursor;
            let answer = trial.wait(trial.store.changes(Some(&foreign), 10));
            is_error("the feed after a cursor of another store", answer, StoreErrorKind::CursorLost)?;
        }
        elsewhere.commit([&trial.author.register("fabrikam", &format!("one more {round}"))?])?;
    }
    Ok(())
}

/// Writes the trails of some clients in turns, and returns them.
fn some_trails<F: Factory>(trial: &Trial<'_, F>) -> Checked<BTreeMap<Option<ClientId>, Vec<EventText>>> {
    let author = &trial.author;
    let chains = (0..3)
        .map(|number| {
            let first = author.register("contoso", &format!("client {number}"))?;
            chain(author, first, 4, Author::another_change)
        })
        .collect::<Checked<Vec<_>>>()?;
    let mut trails: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for position in 0..4 {
        let row: Vec<_> = chains.iter().filter_map(|steps| steps.get(position)).collect();
        let (alone, together) = row.split_at(1);
        trial.commit(alone.iter().copied())?;
        trial.commit(together.iter().copied())?;
        for step in row {
            trails.entry(Some(step.id().clone())).or_default().extend_from_slice(step.events());
        }
    }
    Ok(trails)
}

pub(super) fn the_latest_cursor_is_behind_everything<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let from_empty = trial.latest()?;
    let trails = some_trails(&trial)?;
    let latest = trial.latest()?;
    same("the feed after the latest cursor", trial.changes(Some(&latest), 10)?.events, vec![])?;
    let read = trial.drain(Some(&from_empty), 3)?.0;
    is_told("the feed after the latest cursor of an empty store", &read, &all_of(&trails))?;
    let late = author.register("fabrikam", "late")?;
    trial.commit([&late])?;
    let adopted = author.register("fabrikam", "adopted")?;
    trial.adopt(&[author.adopted([&adopted])?])?;
    let (read, _) = trial.drain(Some(&latest), 1)?;
    let expected = [late.events(), adopted.events()].concat();
    is_told("the feed after a cursor that was the latest", &read, &expected)?;
    same("the feed after the latest cursor", trial.changes(Some(&trial.latest()?), 10)?.events, vec![])
}

pub(super) fn the_latest_cursor_skips_nothing<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    // A reader overtakes a writer: it asks for the latest cursor, and then loads.
    for round in 0..12 {
        let slow_step = author.register("contoso", &format!("slow {round}"))?;
        let quick_step = author.register("fabrikam", &format!("quick {round}"))?;
        let [slow_commit, quick_commit] = [author.commit([&slow_step])?, author.commit([&quick_step])?];
        let (store, mut answer) = (&trial.store, Ok(()));
        let (cursor, loaded) = trial.wait(async {
            let mut slow = Slow::new(Box::pin(async { answer = store.commit(&slow_commit).await }));
            let quick: Pinned<'_, Checked<_>> = Box::pin(async {
                store.commit(&quick_commit).await?;
                Ok((store.latest().await?, store.load(slow_step.record_id()).await?))
            });
            let seen = overtaking(&mut slow, round / 2, quick).await;
            slow.finish().await;
            seen
        })?;
        answer?;
        let (rest, _) = trial.drain(Some(&cursor), 2)?;
        let is_told = slow_step.events().iter().all(|event| rest.contains(event));
        ensure!(
            is_told || loaded.is_some(),
            "a reader missed a slow commit: it neither loaded the record nor got an event"
        );
        ensure!(
            !quick_step.events().iter().any(|event| rest.contains(event)),
            "the latest cursor is before acknowledged events"
        );
    }

    // The same on threads, many times: no event lies between what was loaded and what comes after the cursor.
    let first = author.register("contoso", "busy")?;
    let steps = chain(author, first, 120, Author::another_change)?;
    let id = id_of(&steps)?;
    let written = AtomicU64::new(0);
    let write: Job<'_, Checked<Vec<_>>> = Box::new(|| {
        let _done = Done(&written, 1);
        steps.iter().try_for_each(|step| trial.commit([step]).map(drop)).map(|()| vec![])
    });
    let read = || -> Job<'_, Checked<Vec<_>>> {
        Box::new(|| {
            let mut seen = Vec::new();
            loop {
                let is_last = written.load(Ordering::Acquire) == 1;
                let (cursor, loaded) = (trial.latest()?, trial.load(id.into())?);
                let asked = (cursor, loaded.map_or(Revision::ZERO, |record| record.revision()));
                if seen.last() != Some(&asked) {
                    seen.push(asked);
                }
                if is_last {
                    return Ok(seen);
                }
            }
        })
    };
    let seen = at_once(vec![write, read(), read()])?.into_iter().collect::<Checked<Vec<_>>>()?;
    for (cursor, loaded) in seen.into_iter().flatten() {
        let later = trial.changes(Some(&cursor), 1)?.events;
        let next =
            later.iter().filter_map(|text| Event::parse(text).ok()).find(|event| event.client_id() == id);
        let next = next.map(|event| event.revision());
        let last = steps.last().map(Step::revision);
        let is_whole = next.map_or(Some(loaded) == last, |next| next <= loaded.next());
        ensure!(
            is_whole,
            "a reader loaded revision {loaded}, and the next event after the latest cursor is of {next:?}"
        );
    }
    Ok(())
}

pub(super) fn the_feed_waits_for_slow_writers<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let (mut seen, mut cursor) = (Vec::new(), None);
    let mut trails: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for round in 0..16 {
        let slow_step = author.register("contoso", &format!("slow {round}"))?;
        let quick_step = author.register("fabrikam", &format!("quick {round}"))?;
        let [slow_commit, quick_commit] = [author.commit([&slow_step])?, author.commit([&quick_step])?];
        let adopted = [author.adopted([&slow_step])?];
        for step in [&slow_step, &quick_step] {
            trails.entry(Some(step.id().clone())).or_default().extend_from_slice(step.events());
        }
        let (store, mut slow_answer) = (&trial.store, None);
        let (read, next) = trial.wait(async {
            let write = async {
                slow_answer = Some(match round % 4 {
                    3 => store.adopt(&adopted).await,
                    _ => store.commit(&slow_commit).await,
                });
            };
            let mut slow = Slow::new(Box::pin(write));
            let quick: Pinned<'_, Checked<_>> = Box::pin(async {
                store.commit(&quick_commit).await?;
                let changes = store.changes(cursor.as_ref(), MANY).await?;
                ensure!(
                    quick_step.events().iter().all(|event| changes.events.contains(event)),
                    "an answer shorter than its limit lacks a commit that was acknowledged before"
                );
                // A second reader reads meanwhile: if reading numbers the events, that must not affect the first reader.
                let other = store.changes(None, MANY).await?;
                ensure!(
                    other.events.len() >= changes.events.len(),
                    "a reader from the beginning sees fewer events"
                );
                Ok((changes.events, changes.cursor))
            });
            let answer = overtaking(&mut slow, round / 2, quick).await;
            slow.finish().await;
            answer
        })?;
        slow_answer.transpose()?;
        seen.extend(read);
        let (rest, end) = trial.drain(Some(&next), 2)?;
        seen.extend(rest);
        cursor = Some(end);
        is_told(
            "the events of a reader while a commit was overtaken by another one",
            &seen,
            &all_of(&trails),
        )?;
    }
    Ok(())
}

fn all_of(trails: &BTreeMap<Option<ClientId>, Vec<EventText>>) -> Vec<EventText> {
    trails.values().flatten().cloned().collect()
}
