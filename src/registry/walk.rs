//! `Walk`: a list of the store from its beginning to its end, page by page.
//!
//! A store is not trusted: a list that does not go on is refused, so that no walk is endless.

use crate::registry::Registry;
use crate::store::{ClientsBy, Store};
use crate::store_error::{StoreError, StoreErrorKind};
use crate::value::ClientId;

/// The state of a walk along a list whose places are `K`.
pub(in crate::registry) struct Walk<K> {
    after: Option<K>,
    is_done: bool,
}

impl<K: Clone + PartialOrd + Send> Walk<K> {
    /// Begins at the beginning of a list.
    pub(in crate::registry) fn new() -> Self {
        Self { after: None, is_done: false }
    }

    /// Begins after a place.
    pub(in crate::registry) fn after(place: K) -> Self {
        Self { after: Some(place), is_done: false }
    }

    /// Returns the next page, which is not empty; `None` after the last one. `load` asks the store for at most [`PAGE`] entries
    /// after a place; `place` tells the place of an entry.
    pub(in crate::registry) async fn next<T: Send, F>(
        &mut self,
        load: impl FnOnce(Option<K>) -> F + Send,
        place: impl Fn(&T) -> K + Send,
    ) -> Result<Option<Vec<T>>, StoreError>
    where
        F: Future<Output = Result<Vec<T>, StoreError>> + Send,
    {
        if self.is_done {
            return Ok(None);
        }
        let page = load(self.after.clone()).await?;
        self.is_done = page.len() < PAGE;
        let Some(last) = page.last().map(place) else {
            return Ok(None);
        };
        if self.after.as_ref().is_some_and(|after| last <= *after) {
            return Err(StoreError::with_source(StoreErrorKind::Corrupt, "a list does not go on"));
        }
        self.after = Some(last);
        Ok(Some(page))
    }
}

impl<S: Store> Registry<S> {
    /// The next page of a list of clients.
    pub(in crate::registry) async fn next_clients(
        &self,
        walk: &mut Walk<ClientId>,
        by: ClientsBy<'_>,
    ) -> Result<Option<Vec<ClientId>>, StoreError> {
        let store = &self.inner.store;
        walk.next(|after| async move { store.clients(by, after.as_ref(), PAGE).await }, ClientId::clone).await
    }
}

/// How many entries of a list are read at once.
pub(in crate::registry) const PAGE: usize = 1000;

#[cfg(test)]
mod tests {
    use pollster::block_on;

    use super::*;

    #[test]
    fn a_walk_ends_after_a_short_page_and_refuses_a_list_that_leads_in_circles() {
        let mut walk = Walk::new();
        let full = |after: Option<usize>| async move {
            let from = after.map_or(0, |after| after + 1);
            Ok((from..from + PAGE).collect::<Vec<_>>())
        };
        let page = block_on(walk.next(full, |number| *number)).unwrap().unwrap();
        assert_eq!(page.len(), PAGE);
        let short = |after: Option<usize>| async move { Ok(vec![after.unwrap() + 1]) };
        assert_eq!(block_on(walk.next(short, |number| *number)).unwrap(), Some(vec![PAGE]));
        assert_eq!(block_on(walk.next(full, |number| *number)).unwrap(), None);

        let mut walk = Walk::after(7);
        let circle = |_| async { Ok(vec![7_usize; PAGE]) };
        let error = block_on(walk.next(circle, |number| *number)).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    }
}
