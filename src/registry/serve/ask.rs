//! Asking a client: the way of everything that authenticates, signs or verifies.
//!
//! A question is a function of the client, and is asked where the client lies: in memory under the guard of the map, in the cache, or
//! once the store has answered. What can be answered at once takes no future and shares nothing. Its answer is made where the caller
//! gets it: each copy of what was just written would wait for memory.

use std::pin::Pin;

use crate::record::{Opened, RecordId};
use crate::registry::Registry;
use crate::secret::wipe_stack;
use crate::store::{Store, WholeCommits};
use crate::store_error::StoreError;

impl<S: Store> Registry<S> {
    /// Finds a client that is at most as stale as was promised, and asks a question about it. `authenticate` and `verify` write these
    /// lines out, so that their futures hold no other one.
    #[inline]
    pub(super) async fn ask<T, E: From<StoreError>>(
        &self,
        id: RecordId<'_>,
        question: impl FnOnce(Option<&Opened>) -> Result<T, E> + Send,
    ) -> Result<T, E> {
        if let Some(found) = self.at_hand(id).found() {
            return question(found);
        }
        question(self.wait_for(id).await?.as_ref())
    }

    /// Finds a client that is not at hand. In a box: what it takes to wait for the store makes no future larger that finds what it looks
    /// for.
    #[inline]
    pub(super) fn wait_for<'a>(
        &'a self,
        id: RecordId<'a>,
    ) -> Pin<Box<impl Future<Output = Result<Option<Opened>, StoreError>> + Send + 'a>> {
        wipe_stack();
        boxed(|| self.recall(id))
    }

    /// Looks a client up where that needs no waiting. Always inlined, as are the parts of the memory store: a guard that is handed on is
    /// a copy, too.
    #[inline(always)]
    pub(super) fn at_hand<'a>(&'a self, id: RecordId<'a>) -> AtHand<'a> {
        match (&self.inner.memory, &self.inner.cache) {
            (Some(memory), _) => AtHand::InMemory(memory.whole_commits(), id),
            (None, Some(cache)) => match cache.fresh(id, &*self.inner.clock) {
                Some(found) => AtHand::Cached(found),
                None => AtHand::Nothing,
            },
            (None, None) => AtHand::Nothing,
        }
    }

    async fn recall(&self, id: RecordId<'_>) -> Result<Option<Opened>, StoreError> {
        match &self.inner.cache {
            None => self.load_record(id).await,
            Some(cache) => {
                cache.get(id, &*self.inner.clock, || self.clone().load_for_all(id.as_str().to_owned())).await
            }
        }
    }

    /// Loads a client for all callers that wait for it. It borrows nothing, since it outlives a caller that goes away.
    async fn load_for_all(self, id: String) -> Result<Option<Opened>, StoreError> {
        self.load_record(RecordId::parse(&id)?).await
    }
}

/// A client that was looked up without waiting: live in memory, fresh in the cache, or not to be had without asking the store.
pub(super) enum AtHand<'a> {
    InMemory(WholeCommits<'a>, RecordId<'a>),
    Cached(Option<Opened>),
    Nothing,
}

impl AtHand<'_> {
    /// Returns the client, or that there is none. `None` if the store has to be asked.
    #[inline(always)]
    pub(super) fn found(&self) -> Option<Option<&Opened>> {
        match self {
            Self::InMemory(commits, id) => commits.find(*id),
            Self::Cached(found) => Some(found.as_ref()),
            Self::Nothing => None,
        }
    }
}

/// Puts a future in a box. Not inlined: so it is made where the stack was wiped, and takes nothing along that was left there (rule 8).
#[inline(never)]
fn boxed<F>(make: impl FnOnce() -> F) -> Pin<Box<F>> {
    Box::pin(make())
}
