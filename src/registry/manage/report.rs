//! Reports over many client IDs: which secrets end when, and which notices are due. Each page costs what its limit says.
//!
//! An operator's pages follow the store's index of ends. The index is a hint: its entries are checked against the record, and
//! wrong ones are passed over. A seller's pages follow the seller's client IDs, since in an index of all sellers' ends its own
//! would be few and far between.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use crate::client::Client;
use crate::registry::manage::view::View;
use crate::registry::{Error, Page, Snapshot};
use crate::review::{Expiry, Notice};
use crate::secret::Secret;
use crate::store::{ClientsBy, Ending, Store};
use crate::value::{ClientId, SecretId, SellerId, Timestamp};

impl<S: Store> View<S> {
    /// A page of the secrets of all sellers that end within a span.
    pub(in crate::registry) async fn expiries(
        &self,
        ends: &Range<Timestamp>,
        after: Option<&Ending>,
        limit: usize,
    ) -> Result<Page<Expiry, Ending>, Error> {
        let line = |snapshot: &Snapshot, secret: &Secret| {
            snapshot.client().expiry(secret, snapshot.uses(), snapshot.at()).into_iter().collect()
        };
        self.over_endings(std::slice::from_ref(ends), after, limit, line).await
    }

    /// A page of the notices of all sellers that fall due within a window.
    pub(in crate::registry) async fn notices(
        &self,
        window: &Range<Timestamp>,
        after: Option<&Ending>,
        limit: usize,
    ) -> Result<Page<Notice, Ending>, Error> {
        let lines = |snapshot: &Snapshot, secret: &Secret| {
            snapshot.client().notices_of(secret, window, snapshot.uses(), snapshot.at())
        };
        self.over_endings(&Notice::ends_within(window), after, limit, lines).await
    }

    /// A page of a seller's secrets that end within a span.
    pub(in crate::registry) async fn expiries_of(
        &self,
        seller: &SellerId,
        ends: &Range<Timestamp>,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<Page<Expiry, ClientId>, Error> {
        let page = self.page(ClientsBy::Seller(seller), after, limit).await?;
        let lines =
            page.items.iter().flat_map(|found| found.client().expiries(ends, found.uses(), found.at()));
        let mut items: Vec<_> = lines.collect();
        items.sort_by(|one, other| order(one).cmp(&order(other)));
        Ok(Page { items, unreadable: page.unreadable, next: page.next })
    }

    /// A page of a seller's notices that fall due within a window.
    pub(in crate::registry) async fn notices_of(
        &self,
        seller: &SellerId,
        window: &Range<Timestamp>,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<Page<Notice, ClientId>, Error> {
        let page = self.page(ClientsBy::Seller(seller), after, limit).await?;
        let lines =
            page.items.iter().flat_map(|found| found.client().notices(window, found.uses(), found.at()));
        let mut items: Vec<_> = lines.collect();
        items.sort_by(|one, other| (order(&one.expiry), one.due).cmp(&(order(&other.expiry), other.due)));
        Ok(Page { items, unreadable: page.unreadable, next: page.next })
    }

    /// The items that `tell` makes of each secret that ends within spans of time: of at most `limit` secrets. The spans are in
    /// order and do not overlap.
    async fn over_endings<T: Send>(
        &self,
        spans: &[Range<Timestamp>],
        after: Option<&Ending>,
        limit: usize,
        tell: impl Fn(&Snapshot, &Secret) -> Vec<T> + Send + Sync,
    ) -> Result<Page<T, Ending>, Error> {
        let limit = limit.clamp(1, MAX_ENDINGS);
        let mut hints = Vec::new();
        let is_ahead = |span: &&Range<Timestamp>| after.is_none_or(|after| after.at < span.end);
        for span in spans.iter().filter(|span| !span.is_empty()).filter(is_ahead) {
            let room = limit - hints.len();
            if room == 0 {
                break;
            }
            let start = just_before(span.start);
            hints.extend(self.registry.inner.store.ending(span.end, after.max(start.as_ref()), room).await?);
        }
        let (mut items, mut unreadable) = (Vec::new(), Vec::new());
        let mut seen: BTreeMap<&ClientId, Option<Snapshot>> = BTreeMap::new();
        for hint in &hints {
            if !seen.contains_key(&hint.client_id) {
                let snapshot = self.show(&hint.client_id).await?.unwrap_or_else(|error| {
                    unreadable.push(error);
                    None
                });
                seen.insert(&hint.client_id, snapshot);
            }
            if let Some(snapshot) = seen.get(&hint.client_id).and_then(Option::as_ref)
                && let Some(secret) = confirmed(snapshot.client(), hint)
            {
                items.extend(tell(snapshot, secret));
            }
        }
        let next = if hints.len() == limit { hints.pop() } else { None };
        Ok(Page { items, unreadable, next })
    }
}

/// The secret of an entry in the index of ends, if it ends at that time.
fn confirmed<'a>(client: &'a Client, hint: &Ending) -> Option<&'a Secret> {
    client.secret(hint.secret).filter(|secret| secret.validity().until() == Some(hint.at))
}

/// The last place in the order of ends before everything that ends at `at` or later; `None` for the very first one.
fn just_before(at: Timestamp) -> Option<Ending> {
    Some(Ending {
        at: at.checked_sub(Duration::from_millis(1))?,
        client_id: ClientId::parse(LAST_CLIENT_ID).ok()?,
        secret: SecretId::new(u32::MAX)?,
    })
}

/// The order of [`Ending`]s.
fn order(expiry: &Expiry) -> (Timestamp, &ClientId, SecretId) {
    (expiry.ends, &expiry.client_id, expiry.secret)
}

/// The most secrets that one page looks at.
const MAX_ENDINGS: usize = 1000;
/// No client ID comes after it: 64 times the last character that one may have.
const LAST_CLIENT_ID: &str = "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_before_an_instant_is_after_everything_earlier() {
        let at = Timestamp::from_millis(1_000_000).unwrap();
        let place = just_before(at).unwrap();
        assert_eq!(LAST_CLIENT_ID.len(), 64);
        for id in ["--------", "zzzzzzzz", LAST_CLIENT_ID] {
            let client_id = ClientId::parse(id).unwrap();
            for number in [1, u32::MAX] {
                let secret = SecretId::new(number).unwrap();
                let ending = |at| Ending { at, client_id: client_id.clone(), secret };
                assert!(place < ending(at));
                assert!(ending(place.at) <= place);
            }
        }
        assert_eq!(just_before(Timestamp::MIN), None);
    }
}
