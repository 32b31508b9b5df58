//! Several nodes on one store: a change arrives everywhere within the freshness, at once where it was made, and sooner
//! where the feed is followed; a store that does not answer, or was set back, lets nobody in and denies nobody.

mod feed;
mod sellers;

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use client_registry::client::{ImportedClient, ImportedSecret};
use client_registry::clock::ManualClock;
use client_registry::secret::KeyEncoding;
use client_registry::store::{
    Changes, Commit, CommitError, Cursor, MemoryStore, Record, RecordId, Store, StoreError, StoreErrorKind,
};
use client_registry::value::KeyId;
use client_registry::*;
use pollster::block_on;

use crate::support::{START, Seeded, denied, details, forward};

/// A way to a store that can be cut, and a store that can be set back.
#[derive(Debug, Clone, Default)]
struct Wire {
    memory: MemoryStore,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Clone, Default)]
struct State {
    cut: bool,
    cursor_lost: bool,
    /// Records as they were.
    set_back: Option<Vec<Record>>,
    /// The feed has nothing new.
    hides_events: bool,
    /// Loads wait while it is there, and then fail.
    waits_to_fail: Option<Arc<AtomicBool>>,
    loads: usize,
}

impl Wire {
    fn to(memory: &MemoryStore) -> Self {
        Self { memory: memory.clone(), state: Arc::default() }
    }

    fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
    }

    fn check(&self) -> Result<(), StoreError> {
        match self.state.lock().unwrap().cut {
            true => Err(StoreError::new(StoreErrorKind::Unavailable)),
            false => Ok(()),
        }
    }
}

impl Store for Wire {
    async fn load(&self, id: RecordId<'_>) -> Result<Option<Record>, StoreError> {
        self.check()?;
        self.set(|state| state.loads += 1);
        let fails = self.state.lock().unwrap().waits_to_fail.clone();
        if let Some(fails) = fails {
            let is_over = |_: &mut Context<'_>| match fails.load(Ordering::SeqCst) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            };
            std::future::poll_fn(is_over).await;
            return Err(StoreError::new(StoreErrorKind::Unavailable));
        }
        if let Some(records) = &self.state.lock().unwrap().set_back
            && !id.is_reserved()
        {
            return Ok(records.iter().find(|record| record.id() == id).cloned());
        }
        self.memory.load(id).await
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        self.check()?;
        self.memory.commit(commit).await
    }

    async fn changes(&self, after: Option<&Cursor>, limit: usize) -> Result<Changes, StoreError> {
        self.check()?;
        if self.state.lock().unwrap().cursor_lost {
            return Err(StoreError::new(StoreErrorKind::CursorLost));
        }
        if self.state.lock().unwrap().hides_events {
            return Ok(Changes { events: vec![], cursor: after.unwrap().clone() });
        }
        self.memory.changes(after, limit).await
    }

    forward!(memory: history clients client_of ending latest adopt note_uses last_uses);
}

struct Node {
    wire: Wire,
    clock: ManualClock,
    registry: Registry<Wire>,
}

async fn node(memory: &MemoryStore, seed: u64) -> Node {
    let wire = Wire::to(memory);
    let clock = ManualClock::new(START.parse().unwrap());
    let key = std::array::from_fn(|at| u8::try_from(at).unwrap());
    let keyring = Keyring::new(KeyId::parse("2026").unwrap(), &key).unwrap();
    let builder = Registry::builder().clock(clock.clone()).entropy(Seeded::new(seed));
    let registry = builder.open(wire.clone(), keyring).await.unwrap();
    Node { wire, clock, registry }
}

/// Time for a node, which passes when the test says so.
struct Following<'a>(Pin<Box<dyn Future<Output = std::convert::Infallible> + 'a>>);

impl Node {
    fn follow(&self) -> Following<'_> {
        let wait = |_| {
            let mut waited = false;
            std::future::poll_fn(move |_| match std::mem::replace(&mut waited, true) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            })
        };
        Following(Box::pin(self.registry.keep_fresh(wait)))
    }

    async fn lets_in(&self, issued: &Issued) -> Result<(), Option<Reason>> {
        let (id, secret) = (issued.client_id().as_str(), issued.client_secret().expose());
        match self.registry.authenticate(id, secret).await {
            Ok(_) => Ok(()),
            Err(AccessError::Denied(denied)) => Err(Some(denied.reason())),
            Err(_) => Err(None),
        }
    }

    fn loads(&self) -> usize {
        self.wire.state.lock().unwrap().loads
    }
}

impl Following<'_> {
    /// Polls the feed once.
    fn poll(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        assert!(self.0.as_mut().poll(&mut context).is_pending(), "it never ends");
    }
}

async fn two_nodes() -> (Node, Node, Issued) {
    let memory = MemoryStore::new();
    let (here, there) = (node(&memory, 1).await, node(&memory, 2).await);
    let contoso = here.registry.as_seller("contoso").unwrap();
    let registered = contoso.register(details("calendar app"), Lifetime::OneYear);
    let issued = registered.await.unwrap();
    (here, there, issued)
}

async fn delete(node: &Node, issued: &Issued) {
    let client = node.registry.as_operator("ann").unwrap().client(issued.client_id());
    let _ = client.delete_in_emergency(issued.secret_id(), None).await.unwrap();
}

const GONE: Result<(), Option<Reason>> = Err(Some(Reason::Compromised));
const UNAVAILABLE: Result<(), Option<Reason>> = Err(None);

#[test]
fn a_deletion_is_known_at_once_here_and_within_the_freshness_there() {
    block_on(async {
        let (here, there, issued) = two_nodes().await;
        for node in [&here, &there] {
            assert_eq!(node.lets_in(&issued).await, Ok(()));
        }
        delete(&here, &issued).await;
        assert_eq!(here.lets_in(&issued).await, GONE);
        there.clock.advance(Duration::from_millis(4999));
        assert_eq!(there.lets_in(&issued).await, Ok(()));
        there.clock.advance(Duration::from_millis(1));
        assert_eq!(there.lets_in(&issued).await, GONE);
    });
}

#[test]
fn a_node_that_is_cut_off_says_unavailable_once_its_freshness_has_run_out_and_never_denies() {
    block_on(async {
        let (here, there, issued) = two_nodes().await;
        let mut following = there.follow();
        following.poll();
        there.clock.advance(Duration::from_millis(1));
        assert_eq!(there.lets_in(&issued).await, Ok(()));
        there.wire.set(|state| state.cut = true);
        delete(&here, &issued).await;
        for _ in 0..4 {
            following.poll();
            assert_eq!(there.lets_in(&issued).await, Ok(()));
            there.clock.advance(Duration::from_millis(1250));
        }
        for _ in 0..3 {
            following.poll();
            assert_eq!(there.lets_in(&issued).await, UNAVAILABLE);
            let unknown = there.registry.authenticate("no-such-client", "no such secret").await.unwrap_err();
            assert_eq!(unknown.kind(), ErrorKind::Unavailable);
            there.clock.advance(Duration::from_secs(1));
        }
        there.wire.set(|state| state.cut = false);
        assert_eq!(there.lets_in(&issued).await, GONE);
        following.poll();
        following.poll();
    });
}

#[test]
fn a_failing_store_is_asked_once_for_each_client_however_many_ask_at_a_time() {
    block_on(async {
        let (_, there, _) = two_nodes().await;
        let fails = Arc::new(AtomicBool::new(false));
        there.wire.set(|state| state.waits_to_fail = Some(Arc::clone(&fails)));
        let before = there.loads();
        let ids: Vec<_> = (0..200).map(|number| format!("client-{number:03}")).collect();
        let mut calls: Vec<_> = (0..200)
            .flat_map(|_| ids.iter())
            .map(|id| Box::pin(there.registry.authenticate(id, "no such secret")))
            .collect();
        let mut context = Context::from_waker(Waker::noop());
        for call in &mut calls {
            assert!(call.as_mut().poll(&mut context).is_pending());
        }
        fails.store(true, Ordering::SeqCst);
        let mut answers = 0;
        while !calls.is_empty() {
            calls.retain_mut(|call| match call.as_mut().poll(&mut context) {
                Poll::Ready(answer) => {
                    assert_eq!(answer.unwrap_err().kind(), ErrorKind::Unavailable);
                    answers += 1;
                    false
                }
                Poll::Pending => true,
            });
        }
        assert_eq!((answers, there.loads() - before), (40_000, 200));
    });
}

#[test]
fn a_freshness_that_nothing_could_keep_is_refused() {
    let open = |freshness| {
        let keyring = Keyring::generate(KeyId::parse("2026").unwrap()).unwrap();
        let store = MemoryStore::new();
        let builder = Registry::builder().freshness(Freshness::within(freshness));
        (block_on(builder.open(store.clone(), keyring)), store)
    };
    for freshness in [Duration::from_nanos(1), Duration::from_micros(1), Duration::from_micros(99_999)] {
        let (opened, store) = open(freshness);
        let error = opened.unwrap_err();
        assert!(matches!(error, OpenError::FreshnessTooShort { freshness: found } if found == freshness));
        assert!(error.to_string().contains("at least 100 milliseconds"), "{error}");
        assert!(block_on(store.load(RecordId::REGISTRY)).unwrap().is_none(), "nothing was written");
    }
    for freshness in [Duration::ZERO, Duration::from_millis(100), Duration::MAX] {
        open(freshness).0.unwrap();
    }
}

#[test]
fn a_client_id_that_nobody_had_is_known_within_the_freshness_once_somebody_has_it() {
    block_on(async {
        let (here, there, _) = two_nodes().await;
        let id = ClientId::parse("legacy-calendar").unwrap();
        let text = "correct horse battery staple";
        let unknown = denied(there.registry.authenticate(id.as_str(), text).await);
        assert_eq!(unknown.reason(), Reason::UnknownClient);
        let loads = there.loads();
        denied(there.registry.authenticate(id.as_str(), text).await);
        assert_eq!(there.loads(), loads);

        let secret = ClientSecret::parse(text).unwrap();
        let validity = Lifetime::OneYear.starting(crate::support::instant(START)).unwrap();
        let owner = SellerId::parse("contoso").unwrap();
        let imported = ImportedClient::new(id.clone(), owner, details("legacy"), Availability::Worldwide)
            .with_secret(ImportedSecret::new(secret, validity, KeyEncoding::Utf8));
        here.registry.as_operator("ann").unwrap().import(imported).await.unwrap();
        here.registry.authenticate(id.as_str(), text).await.unwrap();
        let mut following = there.follow();
        following.poll();
        there.clock.advance(Duration::from_secs(5));
        there.registry.authenticate(id.as_str(), text).await.unwrap();
    });
}

/// At most once per secret and interval, however often the client is loaded in between (rule 9).
#[test]
fn rule_09_a_use_is_written_once_an_interval_whatever_is_loaded_in_between() {
    #[derive(Debug, Clone, Default)]
    struct Counted(MemoryStore, Arc<Mutex<Vec<(SecretId, Timestamp)>>>);
    impl Store for Counted {
        async fn note_uses(
            &self,
            uses: &[store::Use],
            believable_until: Timestamp,
        ) -> Result<(), StoreError> {
            self.1.lock().unwrap().extend(uses.iter().map(|one| (one.secret, one.at)));
            self.0.note_uses(uses, believable_until).await
        }
        async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
            self.0.commit(commit).await
        }
        forward!(0: load history clients client_of ending changes latest adopt last_uses);
    }
    block_on(async {
        let store = Counted::default();
        let clock = ManualClock::new(START.parse().unwrap());
        let builder = Registry::builder().clock(clock.clone()).freshness(Freshness::within(Duration::ZERO));
        let key = std::array::from_fn(|at| u8::try_from(at).unwrap());
        let keyring = Keyring::new(KeyId::parse("2026").unwrap(), &key).unwrap();
        let registry = builder.open(store.clone(), keyring).await.unwrap();
        let contoso = registry.as_seller("contoso").unwrap();
        let registered = contoso.register(details("calendar app"), Lifetime::OneYear);
        let issued = registered.await.unwrap();
        for _ in 0..600 {
            registry
                .authenticate(issued.client_id().as_str(), issued.client_secret().expose())
                .await
                .unwrap();
            registry.flush_last_uses().await.unwrap();
            clock.advance(Duration::from_secs(1));
        }
        let written = store.1.lock().unwrap().clone();
        assert_eq!(written.len(), 10, "ten minutes, once a minute");
    });
}
