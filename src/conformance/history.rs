//! The history of a client: each commit with its ID, in order, byte for byte, also after the client was deleted.

use crate::conformance::author::{Author, Step};
use crate::conformance::records::chain;
use crate::conformance::stop::{Checked, Stop, ensure, same};
use crate::conformance::trial::{MANY, Trial, pages};
use crate::conformance::{Factory, Spoil};
use crate::event::{Event, EventHash, EventText, check_trail};
use crate::store::{Committed, Store};
use crate::store_error::StoreErrorKind;
use crate::value::Revision;

pub(super) fn history_names_the_commits<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let steps = chain(author, author.register("contoso", "calendar app")?, 6, Author::another_change)?;
    let mut expected = Vec::new();
    for step in &steps {
        let commit = trial.commit([step])?;
        expected.push(Committed {
            commit_id: commit.id(),
            revision: step.revision(),
            events: step.events().to_vec(),
        });
        same("the history", trial.history(step.id())?, expected.clone())?;
    }
    same("the history of nobody", trial.history(&author.fresh_id()?)?, vec![])
}

pub(super) fn history_is_paged_by_commits<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    // The first commit has two events, and counts as one.
    let steps = chain(author, author.register("contoso", "calendar app")?, 9, Author::another_change)?;
    let id = super::records::id_of(&steps)?;
    for step in &steps {
        trial.commit([step])?;
    }
    let whole = trial.history(id)?;
    same("the number of commits", whole.len(), steps.len())?;
    for limit in [1, 2, 4, 8, 9, 10] {
        let read = pages(limit, |after: Option<&Committed>| {
            trial.history_after(id, after.map_or(Revision::ZERO, |last| last.revision), limit)
        })?;
        ensure!(read == whole, "read {limit} at a time, the history is not the same");
    }
    let late = trial.history_after(id, Revision::new(7), usize::MAX)?;
    same("the revisions after 7", late.iter().map(|c| c.revision.number()).collect(), vec![8, 9])?;
    for after in [9, 10, u64::from(u32::MAX), i64::MAX as u64, u64::MAX] {
        let found = trial.history_after(id, Revision::new(after), usize::MAX)?;
        same(&format!("the history after {after}"), found, vec![])?;
    }
    Ok(())
}

pub(super) fn history_outlives_deletion<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let mut steps = chain(author, author.register("contoso", "calendar app")?, 4, Author::another_change)?;
    let Some(last) = steps.last() else { return Err(Stop::unprepared(&"steps")) };
    steps.push(author.delete(last)?);
    for step in &steps {
        trial.commit([step])?;
    }
    let Some(deleted) = steps.last() else { return Err(Stop::unprepared(&"steps")) };
    let history = trial.history(deleted.id())?;
    same("the number of commits", history.len(), steps.len())?;
    let texts = history.iter().flat_map(|committed| &committed.events);
    let events = texts.map(Event::parse).collect::<Result<Vec<_>, _>>()?;
    check_trail(&events, EventHash::START, deleted.opened().head())
        .map_err(|broken| Stop::failed(format!("after the client was deleted: {broken}")))
}

pub(super) fn history_is_of_one_client<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let one = author.serving("contoso", "calendar app", &["moves"])?;
    let other = author.register("contoso", "mail app")?;
    trial.commit([&one, &other])?;
    let moved = author.moved(&one, &other, "moves")?;
    let commit = trial.commit(&moved)?;
    for step in &moved {
        let expected =
            Committed { commit_id: commit.id(), revision: step.revision(), events: step.events().to_vec() };
        let found = trial.history_after(step.id(), Revision::new(1), 10)?;
        same("the commit of two clients in the history of one", found, vec![expected])?;
    }
    Ok(())
}

/// JSON that has the same meaning in other bytes, and JSON that a parser does not write back.
pub(super) fn events_come_back_byte_for_byte<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let step = author.register("contoso", "calendar app")?;
    let real = String::from_utf8_lossy(step.events().first().map_or(b"", EventText::as_bytes)).into_owned();
    let odd = [
        format!(" {real}"),
        format!("{real}\n"),
        real.replacen(':', " :\t", 3),
        r#"{"z":1,"a":2,"z":1}"#.to_owned(),
        r#"{"n":[1.0,1E2,-0,10000000000000000000001,0.10],"t":"\u00e9\/\u0041\ud83d\udcc5"}"#.to_owned(),
        "{\"t\":\"\u{e9},}]\u{1f4c5}{[\\\"\",\"e\":{}, \"f\":[ ]}".to_owned(),
        format!(r#"{{"t":"{}"}}"#, "x".repeat(20_000)),
        "{}".to_owned(),
    ];
    let odd: Vec<_> = odd.into_iter().map(|text| EventText::from_bytes(text.into_bytes())).collect();
    // Each alone, all in one commit, and adopted from elsewhere.
    let mut written = Vec::new();
    for text in &odd {
        let step =
            author.register("contoso", &format!("alone {}", written.len()))?.telling(vec![text.clone()]);
        trial.commit([&step])?;
        written.push(step);
    }
    let together = author.register("contoso", "together")?.telling(odd.clone());
    trial.commit([&together])?;
    let moved = author.register("contoso", "moved")?.telling(odd);
    trial.adopt(&[author.adopted([&moved])?])?;
    written.extend([together, moved]);
    let mut expected = Vec::new();
    for step in &written {
        let found: Vec<_> = trial.history(step.id())?.into_iter().flat_map(|made| made.events).collect();
        same("the texts of events in the history", found.as_slice(), step.events())?;
        expected.extend_from_slice(step.events());
    }
    let mut found = trial.drain(None, 3)?.0;
    // The order of the feed is defined only within each client.
    found.sort();
    expected.sort();
    same("the texts of events in the feed", found, expected)
}

pub(super) fn damaged_history_is_not_passed_over<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = std::sync::Arc::clone(&trial.author);
    let steps = chain(&author, author.register("contoso", "calendar app")?, 3, Author::another_change)?;
    let id = super::records::id_of(&steps)?.clone();
    let sound = author.register("fabrikam", "mail app")?;
    for step in steps.iter().chain([&sound]) {
        trial.commit([step])?;
    }
    let Some(trial) = trial.spoilt(Spoil::History(&id))? else { return Ok(()) };
    // A store that does not look into texts returns the damaged one, and the reader notices.
    match trial.wait(trial.store.history(&id, Revision::ZERO, 10)) {
        Err(error) => same("the spoilt history", error.kind(), StoreErrorKind::Corrupt)?,
        Ok(history) => {
            same("the number of commits in the spoilt history", history.len(), steps.len())?;
            let written = steps.iter().map(Step::events);
            let is_spoilt = history.iter().zip(written).any(|(found, written)| found.events != written);
            ensure!(is_spoilt, "the history was not spoilt, or the store repaired it");
        }
    }
    let written = steps.iter().chain([&sound]).map(|step| step.events().len()).sum::<usize>();
    match trial.wait(trial.store.changes(None, MANY)) {
        Err(error) => same("the feed with a spoilt event", error.kind(), StoreErrorKind::Corrupt)?,
        Ok(changes) => {
            let found = changes.events.len();
            ensure!(
                found + 1 >= written,
                "the feed has {found} of {written} events, though only one was spoilt"
            );
            ensure!(
                sound.events().iter().all(|event| changes.events.contains(event)),
                "the feed lacks events of a client whose history was not spoilt"
            );
        }
    }
    let found: Vec<_> = trial.history(sound.id())?.into_iter().flat_map(|made| made.events).collect();
    same("the history of a client that was not spoilt", found.as_slice(), sound.events())
}
