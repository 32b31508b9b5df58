//! One running case: an empty store in its own place, and the calls and checks that cases are made of.

mod answers;

use std::future::Future;
use std::sync::Arc;

pub(super) use self::answers::{drain, is_conflict, is_error, is_taken, one_winner, pages};
use crate::client::LastUses;
use crate::conformance::author::{Author, Step};
use crate::conformance::stop::{Checked, Stop, ensure, same};
use crate::conformance::together::{Job, Pinned, at_once, in_turns};
use crate::conformance::watch::{Calls, Open, Watched};
use crate::conformance::{Factory, Spoil};
use crate::event::EventText;
use crate::record::{Record, RecordId};
use crate::store::{
    Adopted, Changes, ClientsBy, Commit, CommitError, Committed, Cursor, Ending, IndexEntry, Store, Use,
};
use crate::store_error::StoreErrorKind;
use crate::value::{AddInId, ClientId, Revision, SecretId, Timestamp};

/// An open store in its own place. The order of the fields is the order in which they are dropped.
pub(super) struct Trial<'a, F: Factory> {
    pub(super) store: Open<F>,
    pub(super) place: F::Place,
    pub(super) factory: &'a F,
    pub(super) author: Arc<Author>,
    calls: Arc<Calls>,
}

impl<'a, F: Factory> Trial<'a, F> {
    pub(super) fn begin(factory: &'a F, calls: Arc<Calls>) -> Checked<Self> {
        Self::begin_with(factory, Arc::new(Author::new()?), calls)
    }

    /// Opens another store in another place, for the same author.
    pub(super) fn elsewhere(&self) -> Checked<Self> {
        Self::begin_with(self.factory, Arc::clone(&self.author), Arc::clone(&self.calls))
    }

    fn begin_with(factory: &'a F, author: Arc<Author>, calls: Arc<Calls>) -> Checked<Self> {
        let place = factory.place();
        let store = open(factory, &place, &calls).map_err(|stop| stop.when("opening a new store"))?;
        Ok(Self { store, place, factory, author, calls })
    }

    /// Opens one more store in the same place.
    pub(super) fn beside(&self) -> Checked<Open<F>> {
        self.factory.share()?;
        open(self.factory, &self.place, &self.calls).map_err(|stop| stop.when("opening a second store"))
    }

    /// Crashes the store, and opens it again. All other stores of the place must be closed.
    pub(super) fn after_crash(self) -> Checked<Self> {
        let Self { store, place, factory, author, calls } = self;
        {
            let _call = calls.begin("Factory::crash");
            factory.crash(&place, store.into_inner())?;
        }
        let store = open(factory, &place, &calls).map_err(|stop| stop.when("opening after a crash"))?;
        Ok(Self { store, place, factory, author, calls })
    }

    /// Closes the store, and opens it again.
    pub(super) fn opened_again(self) -> Checked<Self> {
        let Self { store, place, factory, author, calls } = self;
        drop(store);
        let store = open(factory, &place, &calls).map_err(|stop| stop.when("opening again"))?;
        Ok(Self { store, place, factory, author, calls })
    }

    /// Closes the store, and opens it again: at the second attempt if a flush that is still to fail keeps it from opening.
    pub(super) fn opened_despite_failures(self) -> Checked<Self> {
        let Self { store, place, factory, author, calls } = self;
        drop(store);
        let opened = open(factory, &place, &calls).or_else(|_| open(factory, &place, &calls));
        let store = opened.map_err(|stop| stop.when("opening again after a flush failed"))?;
        Ok(Self { store, place, factory, author, calls })
    }

    /// Closes both stores, copies this place over the other one, and opens both again. Returns the other one first.
    pub(super) fn copied_to(self, other: Self) -> Checked<(Self, Self)> {
        let Self { store, place, factory, author, calls } = self;
        drop(store);
        let Self { store: other, place: copy, .. } = other;
        drop(other);
        factory.copy(&place, &copy)?;
        let begin = |place: F::Place| {
            let store = open(factory, &place, &calls).map_err(|stop| stop.when("opening a copy"))?;
            Checked::Ok(Self {
                store,
                place,
                factory,
                author: Arc::clone(&author),
                calls: Arc::clone(&calls),
            })
        };
        Ok((begin(copy)?, begin(place)?))
    }

    /// Closes the store, makes some of its data undecodable, and opens it again. Returns `None` if it does not open because it is
    /// corrupt.
    pub(super) fn spoilt(self, what: Spoil<'_>) -> Checked<Option<Self>> {
        let Self { store, place, factory, author, calls } = self;
        drop(store);
        factory.spoil(&place, what)?;
        match factory.open(&place) {
            Ok(store) => {
                let store = Watched::new(store, &calls);
                Ok(Some(Self { store, place, factory, author, calls }))
            }
            Err(error) if error.kind() == StoreErrorKind::Corrupt => Ok(None),
            Err(error) => Err(Stop::from(error).when("opening what was spoilt")),
        }
    }

    /// Records where the case is, for the report if the case does not end.
    pub(super) fn is_at(&self, at: &str) {
        self.calls.is_at(at);
    }

    pub(super) fn wait<T: Future + Send>(&self, future: T) -> T::Output {
        self.factory.block_on(future)
    }

    /// Sends changes of one or two clients in one commit, which must be acknowledged.
    pub(super) fn commit<'s>(&self, steps: impl IntoIterator<Item = &'s Step>) -> Checked<Commit> {
        let commit = self.author.commit(steps)?;
        self.send(&commit)?;
        Ok(commit)
    }

    pub(super) fn send(&self, commit: &Commit) -> Checked {
        Ok(self.wait(self.store.commit(commit))?)
    }

    pub(super) fn try_send(&self, commit: &Commit) -> Result<(), CommitError> {
        self.wait(self.store.commit(commit))
    }

    /// Sends changes that must be answered with a conflict.
    pub(super) fn conflict<'s>(
        &self,
        steps: impl IntoIterator<Item = &'s Step>,
        at: RecordId<'_>,
        found: Option<Revision>,
    ) -> Checked {
        is_conflict(self.try_send(&self.author.commit(steps)?), at, found)
    }

    /// Sends changes that must be refused because an entry is taken.
    pub(super) fn taken<'s>(
        &self,
        steps: impl IntoIterator<Item = &'s Step>,
        entry: &IndexEntry,
        by: &ClientId,
    ) -> Checked {
        is_taken(self.try_send(&self.author.commit(steps)?), entry, &[by])
    }

    pub(super) fn load(&self, id: RecordId<'_>) -> Checked<Option<Record>> {
        Ok(self.wait(self.store.load(id))?)
    }

    /// Checks that the record of a step is there, byte for byte.
    pub(super) fn is_kept(&self, step: &Step) -> Checked {
        self.is_record(step.record_id(), Some(step.record()))
    }

    pub(super) fn is_record(&self, id: RecordId<'_>, expected: Option<&Record>) -> Checked {
        let found = self.load(id)?;
        let bytes = |record: Option<&Record>| record.map(Record::to_bytes).transpose();
        let (found_bytes, expected_bytes) = (bytes(found.as_ref())?, bytes(expected)?);
        ensure!(
            found_bytes == expected_bytes,
            "record {id}: expected {expected:?}, found {found:?}{}",
            match found.is_some() && expected.is_some() {
                true => ", which are not the same bytes",
                false => "",
            }
        );
        Ok(())
    }

    pub(super) fn history(&self, id: &ClientId) -> Checked<Vec<Committed>> {
        self.history_after(id, Revision::ZERO, MANY)
    }

    pub(super) fn history_after(
        &self,
        id: &ClientId,
        after: Revision,
        limit: usize,
    ) -> Checked<Vec<Committed>> {
        Ok(self.wait(self.store.history(id, after, limit))?)
    }

    pub(super) fn clients(&self, by: ClientsBy<'_>) -> Checked<Vec<ClientId>> {
        self.clients_after(by, None, MANY)
    }

    pub(super) fn clients_after(
        &self,
        by: ClientsBy<'_>,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Checked<Vec<ClientId>> {
        Ok(self.wait(self.store.clients(by, after, limit))?)
    }

    pub(super) fn client_of(&self, add_in: &AddInId) -> Checked<Option<ClientId>> {
        Ok(self.wait(self.store.client_of(add_in))?)
    }

    /// Checks that the add-in belongs to this client, or to none.
    pub(super) fn belongs(&self, add_in: &str, to: Option<&ClientId>) -> Checked {
        let found = self.client_of(&super::author::add_in(add_in)?)?;
        same(&format!("the client of add-in {add_in:?}"), found.as_ref(), to)
    }

    pub(super) fn ending(
        &self,
        before: Timestamp,
        after: Option<&Ending>,
        limit: usize,
    ) -> Checked<Vec<Ending>> {
        Ok(self.wait(self.store.ending(before, after, limit))?)
    }

    pub(super) fn changes(&self, after: Option<&Cursor>, limit: usize) -> Checked<Changes> {
        Ok(self.wait(self.store.changes(after, limit))?)
    }

    pub(super) fn latest(&self) -> Checked<Cursor> {
        Ok(self.wait(self.store.latest())?)
    }

    /// Reads all events after a cursor, in pieces of `limit`, and returns the cursor behind them.
    pub(super) fn drain(&self, after: Option<&Cursor>, limit: usize) -> Checked<(Vec<EventText>, Cursor)> {
        drain(self.factory, &self.store, after, limit)
    }

    pub(super) fn adopt(&self, clients: &[Adopted]) -> Checked {
        Ok(self.wait(self.store.adopt(clients))?)
    }

    pub(super) fn try_adopt(&self, clients: &[Adopted]) -> Result<(), CommitError> {
        self.wait(self.store.adopt(clients))
    }

    pub(super) fn note(&self, id: &ClientId, secret: SecretId, at: Timestamp) -> Checked {
        let used = Use { client_id: id.clone(), secret, at };
        Ok(self.wait(self.store.note_uses(&[used], Timestamp::MAX))?)
    }

    pub(super) fn last_uses(&self, id: &ClientId) -> Checked<LastUses> {
        Ok(self.wait(self.store.last_uses(id))?)
    }

    /// Sends several commits at the same time to some stores of this place.
    pub(super) fn race(
        &self,
        stores: &[&Open<F>],
        commits: &[Commit],
        how: Racing,
    ) -> Checked<Vec<Result<(), CommitError>>> {
        let entries = commits.iter().zip(stores.iter().cycle());
        match how {
            Racing::InTurns => {
                let futures =
                    entries.map(|(commit, store)| Box::pin(store.commit(commit)) as Pinned<'_, _>).collect();
                Ok(self.wait(in_turns(futures)))
            }
            Racing::OnThreads => {
                let mut jobs = Vec::new();
                for (commit, store) in entries {
                    let (factory, store): (&F, &Open<F>) = (self.factory, store);
                    jobs.push(Box::new(move || factory.block_on(store.commit(commit))) as Job<'_, _>);
                }
                at_once(jobs)
            }
        }
    }
}

fn open<F: Factory>(factory: &F, place: &F::Place, calls: &Arc<Calls>) -> Checked<Open<F>> {
    let _call = calls.begin("Factory::open");
    Ok(Watched::new(factory.open(place)?, calls))
}

/// How several futures are run at the same time.
#[derive(Debug, Clone, Copy)]
pub(super) enum Racing {
    InTurns,
    OnThreads,
}

impl Racing {
    /// Enough races to catch a store that lets two win. Every second one is run in turns.
    pub(super) fn rounds() -> impl Iterator<Item = (usize, Self)> {
        (0..RACES).map(|round| (round, if round % 2 == 0 { Self::OnThreads } else { Self::InTurns }))
    }
}

/// More than any case writes.
pub(super) const MANY: usize = 10_000;
/// More than any feed has.
pub(super) const ENDLESS: usize = 20_000;
/// The number of writers in a race, and of races.
pub(super) const WRITERS: usize = 4;
const RACES: usize = 60;
