//! The change feed under load: readers miss no event and see none twice while several writers write.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::conformance::Factory;
use crate::conformance::author::{Author, Step};
use crate::conformance::picture::per_client;
use crate::conformance::records::chain;
use crate::conformance::stop::{Checked, ensure};
use crate::conformance::together::{Job, Pinned, at_once, in_turns, let_others};
use crate::conformance::told::is_told;
use crate::conformance::trial::{ENDLESS, MANY, Racing, Trial};
use crate::conformance::watch::Open;
use crate::event::EventText;
use crate::store::Store;
use crate::value::{ClientId, Revision};

pub(super) fn the_feed_is_complete_under_load<F: Factory>(trial: Trial<'_, F>) -> Checked {
    again_and_again(&trial, [&trial.store, &trial.store])
}

pub(super) fn the_feed_is_complete_across_stores<F: Factory>(trial: Trial<'_, F>) -> Checked {
    let beside = trial.beside()?;
    again_and_again(&trial, [&trial.store, &beside])
}

/// In turns, every run is the same. On threads, every run is different.
fn again_and_again<F: Factory>(trial: &Trial<'_, F>, stores: [&Open<F>; 2]) -> Checked {
    Load::new(trial, "in turns")?.run(stores, Racing::InTurns)?;
    (0..LOADS)
        .try_for_each(|load| Load::new(trial, &format!("on threads {load}"))?.run(stores, Racing::OnThreads))
}

/// Four writers and two readers, which come back with their cursors until everything is read.
struct Load<'a, F: Factory> {
    trial: &'a Trial<'a, F>,
    /// The changes of the first two writers: one client in each commit.
    alone: [Vec<Step>; 2],
    /// The changes of the third writer: two clients in each commit.
    pairs: [Vec<Step>; 2],
    /// The clients that the last writer adopts, slowly: several at once, with their histories.
    groups: Vec<Vec<Vec<Step>>>,
    /// The number of acknowledged events of each client.
    acknowledged: Mutex<BTreeMap<ClientId, usize>>,
    /// The number of writers that have not ended.
    writers: AtomicU64,
}

impl<'a, F: Factory> Load<'a, F> {
    fn new(trial: &'a Trial<'a, F>, name: &str) -> Checked<Self> {
        let author = &trial.author;
        let chain_of = |which: &str, len| {
            chain(
                author,
                author.register("contoso", &format!("{which} {name}"))?,
                len,
                Author::another_change,
            )
        };
        let group = |group| (0..4).map(|number| chain_of(&format!("group {group} {number}"), 3)).collect();
        Ok(Self {
            trial,
            alone: [chain_of("one", COMMITS)?, chain_of("another", COMMITS)?],
            pairs: [chain_of("left", COMMITS / 2)?, chain_of("right", COMMITS / 2)?],
            groups: (0..COMMITS / 6).map(group).collect::<Checked<_>>()?,
            acknowledged: Mutex::default(),
            writers: AtomicU64::new(4),
        })
    }

    fn run(&self, [one, other]: [&Open<F>; 2], how: Racing) -> Checked {
        let all: Vec<Pinned<'_, Checked>> = vec![
            Box::pin(self.write_alone(one, &self.alone[0])),
            Box::pin(self.write_alone(other, &self.alone[1])),
            Box::pin(self.write_pairs(other)),
            Box::pin(self.write_groups(one)),
            Box::pin(self.read(other, [1, 2, 3, 5, 50])),
            Box::pin(self.read(one, [MANY, 7, 1, 4, 100])),
        ];
        let answers = match how {
            Racing::InTurns => self.trial.wait(in_turns(all)),
            Racing::OnThreads => {
                let job = |future| Box::new(|| self.trial.wait(future)) as Job<'_, _>;
                at_once(all.into_iter().map(job).collect())?
            }
        };
        answers.into_iter().collect::<Checked>()?;
        for (id, events) in self.expected() {
            let Some(id) = id else { continue };
            let commits = self.trial.history_after(&id, Revision::ZERO, MANY)?;
            let history: Vec<_> = commits.into_iter().flat_map(|committed| committed.events).collect();
            ensure!(history == events, "the history of {id} is not what was written");
        }
        Ok(())
    }

    async fn write_alone(&self, store: &Open<F>, steps: &[Step]) -> Checked {
        let _ended = Ended(&self.writers);
        for step in steps {
            store.commit(&self.trial.author.commit([step])?).await?;
            self.note([step]);
            let_others().await;
        }
        Ok(())
    }

    async fn write_pairs(&self, store: &Open<F>) -> Checked {
        let _ended = Ended(&self.writers);
        let [left, right] = &self.pairs;
        for (one, other) in left.iter().zip(right) {
            store.commit(&self.trial.author.commit([one, other])?).await?;
            self.note([one, other]);
            let_others().await;
        }
        Ok(())
    }

    async fn write_groups(&self, store: &Open<F>) -> Checked {
        let _ended = Ended(&self.writers);
        for group in &self.groups {
            let adopted = group.iter().map(|steps| self.trial.author.adopted(steps));
            store.adopt(&adopted.collect::<Checked<Vec<_>>>()?).await?;
            self.note(group.iter().flatten());
            let_others().await;
        }
        Ok(())
    }

    /// Reads until all writers have ended and everything is read, with one limit after the other.
    async fn read(&self, store: &Open<F>, limits: [usize; 5]) -> Checked {
        let (mut seen, mut read, mut cursor) = (BTreeMap::<_, Vec<_>>::new(), 0, None);
        for limit in limits.into_iter().cycle() {
            let_others().await;
            let is_last = self.writers.load(Ordering::Acquire) == 0;
            let acknowledged = self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let changes = store.changes(cursor.as_ref(), limit).await?;
            let len = changes.events.len();
            ensure!(len <= limit, "{len} events where {limit} were wanted");
            read += len;
            ensure!(read < ENDLESS, "the feed has no end: {ENDLESS} events and more");
            for event in changes.events {
                seen.entry(event.client_id()).or_default().push(event);
            }
            cursor = Some(changes.cursor);
            if len == limit {
                continue;
            }
            for (id, count) in &acknowledged {
                let found = seen.get(&Some(id.clone())).map_or(0, Vec::len);
                ensure!(
                    found >= *count,
                    "an answer with fewer than {limit} events, and of {id} {count} were acknowledged before the call \
                     began, {found} of which have been read"
                );
            }
            if is_last {
                break;
            }
        }
        let expected = self.expected();
        // Events of earlier loads do not count.
        seen.retain(|id, _| expected.contains_key(id));
        let written: Vec<_> = expected.into_values().flatten().collect();
        let read: Vec<_> = seen.into_values().flatten().collect();
        is_told("the events of a reader while others wrote", &read, &written)
    }

    fn note<'s>(&self, steps: impl IntoIterator<Item = &'s Step>) {
        let mut books = self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner);
        for step in steps {
            *books.entry(step.id().clone()).or_default() += step.events().len();
        }
    }

    /// The events that a reader must see.
    fn expected(&self) -> BTreeMap<Option<ClientId>, Vec<EventText>> {
        let chains = self.pairs.iter().chain(self.groups.iter().flatten()).chain(&self.alone);
        per_client(chains.flatten().flat_map(Step::events).cloned().collect())
    }
}

/// Counts a writer as ended when it is dropped, also if the writer failed.
struct Ended<'a>(&'a AtomicU64);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The number of commits of the busiest writers.
const COMMITS: usize = 48;
/// The number of runs on threads.
const LOADS: usize = 4;
