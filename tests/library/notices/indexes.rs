//! The index of ends is a hint, and a page costs what its limit says.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use client_registry::store::{Commit, CommitError, Ending, MemoryStore, Record, RecordId, Store, StoreError};
use client_registry::{ClientId, SecretId, Timestamp};
use pollster::block_on;

use crate::notices::market::{Market, day, lasting};
use crate::support::{forward, later};

/// An index that names, beside each end, a secret and a client that are not there and another end; and that counts.
#[derive(Debug, Clone)]
struct Liar {
    memory: MemoryStore,
    loads: Arc<AtomicUsize>,
    pages: Arc<AtomicUsize>,
    lies: bool,
}

impl Liar {
    fn falsehoods(ending: &Ending) -> [Ending; 3] {
        let Ending { at, client_id, secret } = ending.clone();
        let client = ClientId::parse("no-such-client").unwrap();
        [
            Ending { at, client_id: client_id.clone(), secret: SecretId::new(secret.number() + 7).unwrap() },
            Ending { at, client_id: client, secret },
            Ending { at: later(at, -1), client_id, secret },
        ]
    }
}

impl Store for Liar {
    async fn load(&self, id: RecordId<'_>) -> Result<Option<Record>, StoreError> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        self.memory.load(id).await
    }

    async fn ending(
        &self,
        before: Timestamp,
        after: Option<&Ending>,
        limit: usize,
    ) -> Result<Vec<Ending>, StoreError> {
        self.pages.fetch_add(1, Ordering::SeqCst);
        if !self.lies {
            return self.memory.ending(before, after, limit).await;
        }
        let truth = self.memory.ending(Timestamp::MAX, None, usize::MAX).await?;
        let mut all: Vec<_> = truth.iter().flat_map(Self::falsehoods).chain(truth.clone()).collect();
        all.retain(|ending| ending.at < before && after.is_none_or(|after| after < ending));
        all.sort_unstable();
        all.truncate(limit);
        Ok(all)
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        self.memory.commit(commit).await
    }

    forward!(memory: history clients client_of changes latest adopt note_uses last_uses);
}

fn market(lies: bool) -> Market<Liar> {
    Market::behind(|memory| Liar { memory, loads: Arc::default(), pages: Arc::default(), lies })
}

#[test]
fn a_false_hint_is_passed_over_and_the_pages_go_on() {
    let (mut honest, mut lying) = (market(false), market(true));
    for market in [&mut honest, &mut lying] {
        for number in 0..12 {
            let issued = market.register(number % 2, lasting(95 + u32::try_from(number).unwrap() % 5));
            let client = market.client(number);
            let _second = block_on(client.add_secret(lasting(200))).unwrap();
            if number % 4 == 0 {
                let _ = block_on(client.delete_in_emergency(issued.secret_id(), None)).unwrap();
            }
        }
    }
    let (window, ends) = (day(0)..day(70), day(96)..day(201));
    for limit in [1, 2, 3, 7, 100, usize::MAX] {
        let notices = lying.notices(&window, limit);
        assert_eq!(notices, honest.notices(&window, 5));
        assert!(notices.len() > 20);
        let expiries = lying.expiries(&ends, limit);
        assert_eq!(expiries, honest.expiries(&ends, 5));
        assert!(expiries.len() > 15);
    }
}

#[test]
fn a_page_looks_at_no_more_than_its_limit() {
    let mut market = market(false);
    for number in 0..40 {
        let _ = market.register(number % 2, lasting(1 + u32::try_from(number).unwrap() * 10));
    }
    let Liar { loads, pages, .. } = market.registry.store().clone();
    let operator = market.registry.as_operator("ann").unwrap();
    let spent = || (loads.swap(0, Ordering::SeqCst), pages.swap(0, Ordering::SeqCst));
    spent();
    // In a night what falls due lies in six short spans of the index, wherever the rest of it is.
    let night = day(100)..later(day(101), 1);
    let page = block_on(operator.due_notices(&night, None, 100)).unwrap();
    assert_eq!(page.items().len(), 4);
    assert_eq!(spent(), (4, 6));
    // The spans share the limit.
    let page = block_on(operator.due_notices(&night, None, 3)).unwrap();
    assert!(page.items().len() == 3 && page.next().is_some());
    assert_eq!(spent().0, 3);
    let page = block_on(operator.due_notices(&(day(0)..day(300)), None, 7)).unwrap();
    assert!(page.next().is_some());
    assert_eq!(spent(), (7, 1));
    let page = block_on(operator.expiry_report(&(day(0)..day(300)), None, 3)).unwrap();
    assert_eq!(page.items().len(), 3);
    assert_eq!(spent(), (3, 1));
    // Nothing is asked for what cannot be.
    for (from, until) in [(day(5), day(5)), (day(6), day(5))] {
        block_on(operator.due_notices(&(from..until), None, 100)).unwrap();
        block_on(operator.expiry_report(&(from..until), None, 100)).unwrap();
    }
    assert_eq!(spent(), (0, 0));
    // A limit of nothing is taken for one.
    let page = block_on(operator.expiry_report(&(day(0)..day(300)), None, 0)).unwrap();
    assert_eq!(page.items().len(), 1);
}
