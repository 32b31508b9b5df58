//! What ends when and what notices are due, over many client IDs: in pages, each of which costs what its limit says.
//!
//! An operator's pages follow the store's index of ends. The index is a hint: what it leads to is checked against the
//! record, and what is not so is passed over. A seller's pages follow its client IDs, since in an index of everybody's
//! ends its own would be few and far between.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use serde::Serialize;

use crate::client::Client;
use crate::registry::manage::view::View;
use crate::registry::{Error, Snapshot, Unreadable};
use crate::review::{Expiry, Notice};
use crate::secret::Secret;
use crate::store::{ClientsBy, Ending, Store};
use crate::value::redacted::redacted;
use crate::value::{ClientId, SecretId, SellerId, Timestamp};

redacted! {
    /// Some lines of a report, the clients that could not be read, and where to go on.
    ///
    /// `K` is what the pages are made of: a seller's of [`ClientId`]s, an operator's of [`Ending`]s.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct ReportPage<T, K> {
        lines: Vec<T>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        unreadable: Vec<Unreadable>,
        next: Option<K>,
    }
}

impl<T, K> ReportPage<T, K> {
    /// The lines. There may be none though more follow.
    #[must_use]
    pub fn lines(&self) -> &[T] {
        &self.lines
    }

    /// The lines, to keep.
    #[must_use]
    pub fn into_lines(self) -> Vec<T> {
        self.lines
    }

    /// The clients that the page leads to and that could not be read, each with the reason. There may be lines about them
    /// that are missing here.
    #[must_use]
    pub fn unreadable(&self) -> &[Unreadable] {
        &self.unreadable
    }

    /// What to ask for the next page with; `None` after the last one.
    #[must_use]
    pub fn next(&self) -> Option<&K> {
        self.next.as_ref()
    }
}

impl<S: Store> View<S> {
    /// A page of what ends within a span, whoever owns it.
    pub(in crate::registry) async fn expiries(
        &self,
        ends: &Range<Timestamp>,
        after: Option<&Ending>,
        limit: usize,
    ) -> Result<ReportPage<Expiry, Ending>, Error> {
        let line = |snapshot: &Snapshot, secret: &Secret| {
            snapshot.client().expiry(secret, snapshot.uses(), snapshot.at()).into_iter().collect()
        };
        self.over_endings(std::slice::from_ref(ends), after, limit, line).await
    }

    /// A page of the notices that fall due within a window, whoever owns what ends.
    pub(in crate::registry) async fn notices(
        &self,
        window: &Range<Timestamp>,
        after: Option<&Ending>,
        limit: usize,
    ) -> Result<ReportPage<Notice, Ending>, Error> {
        let lines = |snapshot: &Snapshot, secret: &Secret| {
            snapshot.client().notices_of(secret, window, snapshot.uses(), snapshot.at())
        };
        self.over_endings(&Notice::ends_within(window), after, limit, lines).await
    }

    /// A page of what ends within a span, of a seller's client IDs.
    pub(in crate::registry) async fn expiries_of(
        &self,
        seller: &SellerId,
        ends: &Range<Timestamp>,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<ReportPage<Expiry, ClientId>, Error> {
        let page = self.page(ClientsBy::Seller(seller), after, limit).await?;
        let lines =
            page.clients.iter().flat_map(|found| found.client().expiries(ends, found.uses(), found.at()));
        let mut lines: Vec<_> = lines.collect();
        lines.sort_by(|one, other| order(one).cmp(&order(other)));
        Ok(ReportPage { lines, unreadable: page.unreadable, next: page.next })
    }

    /// A page of the notices that fall due within a window, of a seller's client IDs.
    pub(in crate::registry) async fn notices_of(
        &self,
        seller: &SellerId,
        window: &Range<Timestamp>,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<ReportPage<Notice, ClientId>, Error> {
        let page = self.page(ClientsBy::Seller(seller), after, limit).await?;
        let lines =
            page.clients.iter().flat_map(|found| found.client().notices(window, found.uses(), found.at()));
        let mut lines: Vec<_> = lines.collect();
        lines.sort_by(|one, other| (order(&one.expiry), one.due).cmp(&(order(&other.expiry), other.due)));
        Ok(ReportPage { lines, unreadable: page.unreadable, next: page.next })
    }

    /// What there is to say about each secret that ends within spans of time, at most `limit` of them. The spans are in
    /// order and apart from one another.
    async fn over_endings<T: Send>(
        &self,
        spans: &[Range<Timestamp>],
        after: Option<&Ending>,
        limit: usize,
        tell: impl Fn(&Snapshot, &Secret) -> Vec<T> + Send + Sync,
    ) -> Result<ReportPage<T, Ending>, Error> {
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
        let (mut lines, mut unreadable) = (Vec::new(), Vec::new());
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
                lines.extend(tell(snapshot, secret));
            }
        }
        let next = if hints.len() == limit { hints.pop() } else { None };
        Ok(ReportPage { lines, unreadable, next })
    }
}

/// The secret that an index says ends then, if it does.
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

/// As [`Ending`]s are ordered.
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
