//! Loading: a record comes back byte for byte, at once after its commit, and never half of a commit.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::conformance::author::{Author, Step, after_start, client_id, days};
use crate::conformance::picture::Subjects;
use crate::conformance::stop::{Checked, Stop, brief, ensure, same};
use crate::conformance::together::{Job, Pinned, Slow, at_once, overtaking};
use crate::conformance::trial::{MANY, Trial, is_conflict, is_error};
use crate::conformance::{Factory, Spoil};
use crate::record::{MAX_RECORD, Record, RecordId};
use crate::store::{ClientsBy, CommitError, Expected, Index, RecordChange, Store};
use crate::store_error::StoreErrorKind;
use crate::value::{ClientId, Label, Revision, Timestamp, Validity};

pub(super) fn load_sees_every_acknowledged_commit<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let first = author.register("contoso", "calendar app")?;
    trial.is_record(first.record_id(), None)?;
    let steps = chain(author, first, WRITTEN, Author::another_change)?;
    let (before, during) = steps.split_at(WRITTEN / 2);
    for step in before {
        trial.commit([step])?;
        trial.is_kept(step)?;
    }

    let (acknowledged, all) = (AtomicU64::new(0), during.last().map_or(0, |last| last.revision().number()));
    let write: Job<'_, Checked> = Box::new(|| {
        let _done = Done(&acknowledged, all);
        for step in during {
            trial.commit([step])?;
            acknowledged.store(step.revision().number(), Ordering::Release);
        }
        Ok(())
    });
    let read = || -> Job<'_, Checked> {
        Box::new(|| {
            loop {
                let known = acknowledged.load(Ordering::Acquire);
                let found = trial.load(RecordId::from(id_of(&steps)?))?;
                let found = found.as_ref().map_or(0, |record| record.revision().number());
                ensure!(
                    found >= known,
                    "revision {known} was acknowledged, and then revision {found} was loaded"
                );
                if known == all {
                    return Ok(());
                }
            }
        })
    };
    at_once(vec![write, read(), read()])?.into_iter().collect()
}

pub(super) fn load_sees_no_half_of_a_commit<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let one = author.register("contoso", "calendar app")?;
    let other = author.register("contoso", "mail app")?;
    let ones = chain(author, one, WRITTEN, Author::another_change)?;
    let others = chain(author, other, WRITTEN, Author::another_change)?;
    let both: Vec<_> = ones.iter().zip(&others).collect();
    let (one, other) = (id_of(&ones)?, id_of(&others)?);
    let (in_turns, on_threads) = both.split_at(12);

    for (position, (one_step, other_step)) in in_turns.iter().enumerate() {
        let commit = author.commit([*one_step, *other_step])?;
        trial.wait(async {
            let (store, mut answer) = (&trial.store, Ok(()));
            let sent = async { answer = store.commit(&commit).await };
            let mut slow = Slow::new(Box::pin(sent));
            let look: Pinned<'_, Checked> = Box::pin(not_half(author, store, one, other));
            overtaking(&mut slow, position % 4, look).await?;
            slow.finish().await;
            answer.map_err(Stop::from)
        })?;
    }

    let done = AtomicU64::new(0);
    let write: Job<'_, Checked> = Box::new(|| {
        let _done = Done(&done, 1);
        on_threads.iter().try_for_each(|(one, other)| trial.commit([*one, *other]).map(drop))
    });
    let read = |one, other| -> Job<'_, Checked> {
        let (trial, done) = (&trial, &done);
        Box::new(move || {
            loop {
                let was_done = done.load(Ordering::Acquire) == 1;
                trial.wait(not_half(&trial.author, &trial.store, one, other))?;
                if was_done {
                    return Ok(());
                }
            }
        })
    };
    at_once(vec![write, read(one, other), read(other, one)])?.into_iter().collect()
}

/// Two clients always change together. A reader that loads one and then the other must not find the second one older.
async fn not_half<S: Store>(author: &Author, store: &S, one: &ClientId, other: &ClientId) -> Checked {
    let mut newest = Revision::ZERO;
    for id in [one, other, one] {
        let record = store.load(id.into()).await?;
        if let Some(record) = &record {
            ensure!(
                author.authenticates(id.into(), record)?,
                "the record of {id} is a mixture of two that were written"
            );
        }
        let found = record.map_or(Revision::ZERO, |record| record.revision());
        ensure!(
            found >= newest,
            "a reader saw half of a commit: one client at revision {newest}, the other at {found}"
        );
        newest = found;
    }
    Ok(())
}

pub(super) fn records_come_back_byte_for_byte<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    let bodies = [
        // A store that parses JSON and writes it again returns other bytes.
        r#"{"b":1,"a":2,"a":3,  "c":1.0,"d":1e400,"e":123456789012345678901234567890}"#,
        "\r\n\t{ \"trailing space\" : null }  \n",
        "{\"\u{e9}\":\"e\u{301}\",\"\u{fb01}\":\"\u{10ffff}\u{feff}\",\"escaped\":\"\\u0000\\ud83d\\ude00\"}",
        r#"{"quotes":"' \" ` $1 ? %s \\ ; -- /*"}"#,
        "[]",
    ];
    for (body, material) in bodies.into_iter().zip([&every_byte[..], &[], &[0; 7], &[0xff; 300], b"text"]) {
        let id = trial.author.fresh_id()?;
        for number in 1..=2 {
            let revision = Revision::new(number);
            let record = trial.author.any_record(&id, revision, body, material)?;
            let expected = if number == 1 { Expected::Absent } else { Expected::Exactly(Revision::new(1)) };
            trial.send(&trial.author.commit_of(vec![plain(&record, expected)])?)?;
            trial.is_record((&id).into(), Some(&record))?;
        }
    }
    Ok(())
}

pub(super) fn large_records_come_back_whole<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let id = author.fresh_id()?;
    let smallest = author.any_record(&id, Revision::new(1), "\"\"", &[])?.to_bytes()?.len();
    let body = format!("\"{}\"", "x".repeat(MAX_RECORD - smallest));
    let largest = author.any_record(&id, Revision::new(1), &body, &[])?;
    same("the size of the largest record", largest.to_bytes()?.len(), MAX_RECORD)?;
    trial.send(&author.commit_of(vec![plain(&largest, Expected::Absent)])?)?;
    trial.is_record((&id).into(), Some(&largest))?;

    let full = full_client(author)?;
    let commit = trial.commit([&full])?;
    trial.is_kept(&full)?;
    for add_in in &full.index().add_ins {
        same("the client of one of 256 add-ins", trial.client_of(add_in)?.as_ref(), Some(full.id()))?;
    }
    let ends = trial.ending(Timestamp::MAX, None, MANY)?;
    same("the number of ends", ends.len(), full.index().ends.len())?;
    let history = trial.history(full.id())?;
    same("the number of commits", history.len(), 1)?;
    for committed in history {
        same("the commit", committed.commit_id, commit.id())?;
        ensure!(committed.events == full.events(), "{} events are not what was written", full.events().len());
    }
    let next = author.rename(&full, "another name")?;
    trial.commit([&next])?;
    trial.is_kept(&next)
}

/// A client of the largest size: 256 add-ins with the longest IDs, 32 secrets that run and 16 that have ended, with labels as long
/// as the record has room for.
fn full_client(author: &Author) -> Checked<Step> {
    let id = author.fresh_id()?;
    for letters in (0..=100).rev().step_by(10) {
        let add_ins = (0..256).map(|number| format!("{number:a>128}"));
        let secrets = (1..=48).map(|number: u32| {
            let started = after_start(-1_000_000_000)?;
            let ended = number <= 16;
            let until = if ended {
                started.saturating_add(days(number) / 100)
            } else {
                after_start(number.into())?.saturating_add(days(365))
            };
            let label = Label::parse(&format!("n{}", "\u{1f511}".repeat(letters.min(99))))?;
            Ok((Validity::new(started, Some(until))?, Some(label)))
        });
        let secrets: Vec<_> = secrets.collect::<Checked<_>>()?;
        match author.import(&id, ("contoso", "a full client"), add_ins, secrets) {
            Ok(step) => return Ok(step),
            Err(_) if letters > 0 => {}
            Err(stop) => return Err(stop),
        }
    }
    Err(Stop::unprepared(&"no client is full"))
}

pub(super) fn ids_are_compared_as_bytes<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let ids = alike().into_iter().map(client_id).collect::<Checked<Vec<_>>>()?;
    for (position, id) in ids.iter().enumerate() {
        trial.is_record(id.into(), None)?;
        let step = trial.author.register_as(id, "contoso", &format!("name {position}"))?;
        trial.commit([&step])?;
        trial.is_kept(&step)?;
        let history = trial.history(id)?;
        same("the number of commits of a client", history.len(), 1)?;
        ensure!(
            history
                .iter()
                .flat_map(|committed| &committed.events)
                .all(|event| event.client_id().as_ref() == Some(id)),
            "in the history of {id} are events of another client"
        );
    }
    for absent in ["Client-a", "client-A", "client.A", "cLient_a", "client-a00"] {
        trial.is_record((&client_id(absent)?).into(), None)?;
    }
    Ok(())
}

/// IDs that a collation takes for each other, or sorts in another order than that of their bytes.
pub(super) fn alike() -> [&'static str; 11] {
    [
        "client-a",
        "CLIENT-A",
        "client_a",
        "client.a",
        "CLIENT.A",
        "client-a0",
        "client--a",
        "clienta0",
        "Client_b",
        "client9a",
        "client10a",
    ]
}

pub(super) fn the_registry_record_is_in_no_list<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    trial.is_record(RecordId::REGISTRY, None)?;
    let made = author.registry_record(None)?;
    let first = author.commit_of(vec![made.clone()])?;
    trial.send(&first)?;
    trial.is_record(RecordId::REGISTRY, Some(made.record()))?;
    is_conflict(trial.try_send(&first), RecordId::REGISTRY, Some(Revision::new(1)))?;

    let client = author.register("contoso", "calendar app")?;
    trial.commit([&client])?;
    let next = author.registry_record(Some(made.record()))?;
    let second = author.commit_of(vec![next.clone()])?;
    trial.send(&second)?;
    trial.is_record(RecordId::REGISTRY, Some(next.record()))?;
    is_conflict(trial.try_send(&second), RecordId::REGISTRY, Some(Revision::new(2)))?;

    let only = vec![client.id().clone()];
    same("all clients", trial.clients(ClientsBy::All)?, only.clone())?;
    same("clients under the first key", trial.clients(ClientsBy::Key(author.old_key()))?, only)?;
    same("clients under the other key", trial.clients(ClientsBy::Key(author.new_key()))?, vec![])?;
    same("the feed", trial.drain(None, 10)?.0, client.events().to_vec())
}

pub(super) fn unsealed_records_are_kept_or_refused<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = &trial.author;
    let other = author.register("contoso", "mail app")?;
    trial.commit([&other])?;
    let step = author.register("contoso", "calendar app")?;
    let subjects = Subjects::of([&step, &other]);
    let before = subjects.picture(&trial)?;
    match trial.try_send(&author.commit_of(vec![author.unsealed(&step)])?) {
        Ok(()) => {
            let found = trial.load(step.record_id())?.map(|record| record.revision());
            same("the revision of an unsealed record", found, Some(step.revision()))
        }
        Err(CommitError::NotWritten(error)) if error.kind() == StoreErrorKind::NotSealed => {
            before.is_still(&subjects.picture(&trial)?, "after an unsealed record was refused")
        }
        other => Err(Stop::failed(format!(
            "expected an unsealed record to be kept or NotWritten(NotSealed), found {}",
            brief(&other)
        ))),
    }
}

pub(super) fn undecodable_records_are_corrupt<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let author = std::sync::Arc::clone(&trial.author);
    let spoilt = author.serving("contoso", "calendar app", &["calendar"])?;
    let sound = author.register("contoso", "mail app")?;
    trial.commit([&spoilt])?;
    trial.commit([&sound])?;
    let Some(trial) = trial.spoilt(Spoil::Record(spoilt.record_id()))? else { return Ok(()) };
    is_error(
        "loading an undecodable record",
        trial.wait(trial.store.load(spoilt.record_id())),
        StoreErrorKind::Corrupt,
    )?;
    let over = trial.author.commit([&spoilt])?;
    ensure!(trial.try_send(&over).is_err(), "a client was made where there is an undecodable record");
    trial.is_kept(&sound)
}

/// A change of a record without events, whose only lookup entry is its key.
pub(super) fn plain(record: &Record, expected: Expected) -> RecordChange {
    let index = Index { key_id: record.key_id().cloned(), ..Index::default() };
    RecordChange::new(record.clone(), expected, index, &[])
}

/// A client and its next changes.
pub(super) fn chain(
    author: &Author,
    first: Step,
    len: usize,
    next: impl Fn(&Author, &Step) -> Checked<Step>,
) -> Checked<Vec<Step>> {
    let mut steps = vec![first];
    while steps.len() < len {
        let last = steps.last().ok_or_else(|| Stop::unprepared(&"a chain begins with a step"))?;
        steps.push(next(author, last)?);
    }
    Ok(steps)
}

pub(super) fn id_of(steps: &[Step]) -> Checked<&ClientId> {
    steps.first().map(Step::id).ok_or_else(|| Stop::unprepared(&"no steps"))
}

/// Marks a writer as done when it is dropped, also if the writer failed.
pub(super) struct Done<'a>(pub(super) &'a AtomicU64, pub(super) u64);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(self.1, Ordering::Release);
    }
}

impl Author {
    /// A change that is possible at any revision.
    pub(super) fn another_change(&self, step: &Step) -> Checked<Step> {
        let number = step.revision().number();
        match number % 3 {
            0 => self.rename(step, &format!("name {number} of {}", step.id())),
            1 => self.associate(step, &format!("add-in {number} of {}", step.id()).replace(' ', "-")),
            _ => self.dissociate(step, &format!("add-in {} of {}", number - 1, step.id()).replace(' ', "-")),
        }
    }
}

const WRITTEN: usize = 160;
