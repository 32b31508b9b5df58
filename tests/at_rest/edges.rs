//! Cases at the edges: stores that lag, lie or lead in circles, keys that are retired while a change is in doubt, streams
//! that are forged.

use std::io::Read;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::support;
use crate::support::forward::forward;
use crate::world::{Contents, builder, filled, key, keyring, open};
use client_registry::store::{
    Changes, ClientsBy, Commit, CommitError, Committed, Cursor, Ending, MemoryStore, Record, RecordId, Store,
    StoreError, StoreErrorKind,
};
use client_registry::*;
use pollster::block_on;

/// What is odd about a store.
#[derive(Default)]
struct State {
    down: AtomicBool,
    stuck: AtomicBool,
    slow: AtomicBool,
    doubtful: AtomicBool,
    parked: AtomicBool,
    spoilt: Mutex<Option<ClientId>>,
    at_ending: Mutex<Option<Arc<dyn Fn() + Send + Sync>>>,
    by_key: Mutex<Vec<(KeyId, ClientId)>>,
    instead: Mutex<Option<MemoryStore>>,
}

#[derive(Clone)]
struct Odd {
    memory: MemoryStore,
    state: Arc<State>,
}

impl std::fmt::Debug for Odd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Odd")
    }
}

impl Odd {
    fn over(memory: MemoryStore) -> Self {
        Self { memory, state: Arc::default() }
    }
    fn now(&self) -> MemoryStore {
        self.state.instead.lock().unwrap().clone().unwrap_or_else(|| self.memory.clone())
    }
}

impl Store for Odd {
    async fn load(&self, id: RecordId<'_>) -> Result<Option<Record>, StoreError> {
        if self.state.down.load(SeqCst) {
            return Err(StoreError::new(StoreErrorKind::Unavailable));
        }
        std::future::poll_fn(|_| match self.state.parked.load(SeqCst) {
            true => Poll::Pending,
            false => Poll::Ready(()),
        })
        .await;
        let seen = self.now().load(id).await;
        std::future::poll_fn(|_| match self.state.slow.load(SeqCst) {
            true => Poll::Pending,
            false => Poll::Ready(()),
        })
        .await;
        seen
    }
    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        if self.state.doubtful.load(SeqCst) {
            return Err(CommitError::Failed(StoreError::new(StoreErrorKind::Unavailable)));
        }
        self.now().commit(commit).await
    }
    async fn history(
        &self,
        id: &ClientId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<Committed>, StoreError> {
        if self.state.spoilt.lock().unwrap().as_ref() == Some(id) {
            return Err(StoreError::new(StoreErrorKind::Corrupt));
        }
        if self.state.stuck.load(SeqCst) {
            return self.now().history(id, Revision::ZERO, 1).await;
        }
        self.now().history(id, after, limit).await
    }
    async fn changes(&self, after: Option<&Cursor>, limit: usize) -> Result<Changes, StoreError> {
        if self.state.spoilt.lock().unwrap().is_some() {
            return Err(StoreError::new(StoreErrorKind::Corrupt));
        }
        self.now().changes(after, limit).await
    }
    async fn clients(
        &self,
        by: ClientsBy<'_>,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<Vec<ClientId>, StoreError> {
        let lies = self.state.by_key.lock().unwrap().clone();
        if let (ClientsBy::Key(key_id), false) = (by, lies.is_empty()) {
            let found = lies.iter().filter(|(k, id)| k == key_id && after.is_none_or(|after| id > after));
            return Ok(found.map(|(_, id)| id.clone()).collect());
        }
        self.now().clients(by, after, limit).await
    }
    async fn ending(
        &self,
        before: Timestamp,
        after: Option<&Ending>,
        limit: usize,
    ) -> Result<Vec<Ending>, StoreError> {
        let hook = self.state.at_ending.lock().unwrap().clone();
        if let Some(hook) = hook {
            hook();
        }
        self.now().ending(before, after, limit).await
    }
    forward!(memory: client_of latest adopt note_uses last_uses);
}

/// A node with a cache behind such a store, and another one beside it.
async fn cached() -> (Odd, Registry<Odd>, ManualClock, Registry, Contents) {
    let (memory, other_node, clock, contents) = filled().await;
    let odd = Odd::over(memory);
    let hands = ManualClock::new(Clock::wall(&clock).to_datetime());
    let opened = Registry::builder().clock(hands.clone()).open(odd.clone(), keyring(&["2026"])).await;
    (odd, opened.unwrap(), hands, other_node, contents)
}

#[test]
fn after_an_outage_a_store_that_is_back_is_asked_again() {
    block_on(async {
        let (odd, registry, _, _, contents) = cached().await;
        let known = &contents.valid[0];
        let other = &contents.valid[2];
        odd.state.down.store(true, SeqCst);
        registry.authenticate(known.client_id.as_str(), &known.text).await.unwrap_err();
        odd.state.down.store(false, SeqCst);
        // The store is back. Nobody else asks for this one, nobody waits.
        registry.authenticate(other.client_id.as_str(), &other.text).await.unwrap();
    });
}

#[test]
fn a_look_up_that_is_dropped_holds_nobody_else_up() {
    block_on(async {
        let (odd, registry, hands, _, contents) = cached().await;
        let known = &contents.valid[0];
        let mut context = Context::from_waker(Waker::noop());
        odd.state.parked.store(true, SeqCst);
        let mut first = Box::pin(registry.authenticate(known.client_id.as_str(), &known.text));
        assert!(first.as_mut().poll(&mut context).is_pending());
        odd.state.parked.store(false, SeqCst);
        let mut second = pin!(registry.authenticate(known.client_id.as_str(), &known.text));
        hands.advance(Duration::from_secs(3600));
        // They share one load, so the second one waits for whoever drives the first.
        assert!(second.as_mut().poll(&mut context).is_pending());
        drop(first);
        assert!(second.as_mut().poll(&mut context).is_ready());
    });
}

#[test]
fn nobody_is_let_in_by_an_answer_that_is_older_than_the_freshness() {
    block_on(async {
        let (odd, registry, hands, other_node, contents) = cached().await;
        let known = &contents.valid[0];
        let mut context = Context::from_waker(Waker::noop());
        odd.state.slow.store(true, SeqCst);
        let mut asked = pin!(registry.authenticate(known.client_id.as_str(), &known.text));
        assert!(asked.as_mut().poll(&mut context).is_pending());
        // Compromised, deleted and acknowledged on another node. An hour later the network lets the answer through.
        let client = other_node.as_operator("ann").unwrap().client(&known.client_id);
        let _ = client.delete_in_emergency(known.secret, None).await.unwrap();
        hands.advance(Duration::from_secs(3600));
        odd.state.slow.store(false, SeqCst);
        match asked.as_mut().poll(&mut context) {
            Poll::Ready(Ok(who)) => panic!("let in at {:?}, an hour after the deletion: {who:?}", who.at()),
            other => println!("{other:?}"),
        }
    });
}

#[test]
fn builder_any_number_of_cached_clients_opens() {
    block_on(async {
        let registry =
            Registry::builder().cached_clients(usize::MAX).open(MemoryStore::new(), keyring(&["2026"])).await;
        registry.unwrap();
    });
}

async fn exported() -> Vec<u8> {
    let (_, registry, ..) = filled().await;
    let mut stream = Vec::new();
    registry.export(&mut stream).await.unwrap();
    stream
}

/// Where the pieces begin.
fn pieces(stream: &[u8]) -> Vec<(u8, usize, usize)> {
    let mut at = 25;
    let mut all = Vec::new();
    while at < stream.len() {
        let len = u32::from_be_bytes(stream[at + 1..at + 5].try_into().unwrap()) as usize;
        all.push((stream[at], at, at + 5 + len));
        at += 5 + len;
    }
    all
}

#[test]
fn nobody_makes_a_registry_where_one_is_being_imported() {
    block_on(async {
        let stream = exported().await;
        let store = MemoryStore::new();
        /// Somebody starts the application while the operator imports.
        struct Racing<'a>(&'a [u8], usize, MemoryStore);
        impl Read for Racing<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                self.1 += 1;
                if self.1 >= 8 {
                    let error = block_on(Registry::open(self.2.clone(), keyring(&["2026"]))).unwrap_err();
                    assert!(matches!(error, OpenError::ImportUnfinished), "{error}");
                }
                self.0.read(buffer)
            }
        }
        let (builder, _) = builder(7);
        let mut racing = Racing(&stream, 0, store.clone());
        let (registry, _) = builder.import(store, keyring(&["2026"]), &mut racing).await.unwrap();
        assert!(registry.check().await.unwrap().is_content());
    });
}

#[test]
fn what_is_not_authentic_is_not_gathered_in_memory() {
    block_on(async {
        let stream = exported().await;
        let client = *pieces(&stream).iter().find(|(kind, ..)| *kind == b'C').unwrap();
        let mut head = stream[..client.2].to_vec();
        *head.last_mut().unwrap() ^= 1; // forged
        struct Endless {
            head: Vec<u8>,
            at: usize,
        }
        impl Read for Endless {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                if self.at >= 64 << 20 {
                    return Ok(0);
                }
                let piece: Vec<u8> = [&[b'M', 0, 0, 0, 24][..], &[7; 24]].concat();
                for byte in buffer.iter_mut() {
                    *byte = match self.head.get(self.at) {
                        Some(byte) => *byte,
                        None => piece[(self.at - self.head.len()) % piece.len()],
                    };
                    self.at += 1;
                }
                Ok(buffer.len())
            }
        }
        let mut endless = Endless { head, at: 0 };
        let (builder, _) = builder(7);
        builder.import(MemoryStore::new(), keyring(&["2026"]), &mut endless).await.unwrap_err();
        assert!(
            endless.at < 1 << 20,
            "{} bytes were read and kept before the record was looked at",
            endless.at
        );
    });
}

#[test]
fn a_history_that_does_not_go_on_ends_the_export() {
    block_on(async {
        let (memory, _, clock, _) = filled().await;
        let odd = Odd::over(memory);
        let (node, hands) = open(odd.clone(), &["2026"], 3).await;
        hands.set_wall(Clock::wall(&clock).to_datetime());
        struct Disk(usize);
        impl std::io::Write for Disk {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0 += bytes.len();
                if self.0 > 32 << 20 {
                    return Err(std::io::Error::other("the disk is full"));
                }
                Ok(bytes.len())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        odd.state.stuck.store(true, SeqCst);
        let mut disk = Disk(0);
        let answer = node.export(&mut disk).await;
        assert!(disk.0 < 1 << 20, "{answer:?}: {} bytes of four clients", disk.0);
    });
}

/// Associates add-ins until there is no room for the shortest.
async fn fill_up(client: &ClientHandle<MemoryStore>) {
    let mut number = 100;
    for len in (1..=125).rev() {
        loop {
            let id = format!("{}{number}", "\\".repeat(len));
            number += 1;
            match client.associate(&AddIn::new(&id, Availability::Worldwide).unwrap()).await {
                Ok(_) => {}
                Err(Error::TooLarge) => break,
                Err(other) => panic!("{other} {number}"),
            }
        }
    }
}

async fn filled_up(store: MemoryStore) -> (Registry, Issued) {
    let (one, _) = builder(1);
    let registry = one.open(store, keyring(&["2026"])).await.unwrap();
    let contoso = registry.as_seller("contoso").unwrap();
    let issued = contoso
        .register(support::details("large"), Availability::Worldwide, Lifetime::OneYear)
        .await
        .unwrap();
    fill_up(&contoso.client(issued.client_id())).await;
    (registry, issued)
}

#[test]
fn rule_09_emergency_deletion_with_a_replacement_is_refused_only_for_an_unknown_secret() {
    block_on(async {
        let (registry, issued) = filled_up(MemoryStore::new()).await;
        let client = registry.as_operator("ann").unwrap().client(issued.client_id());
        let answer =
            client.delete_in_emergency(issued.secret_id(), Some(NewSecret::lasting(Lifetime::OneYear))).await;
        let text = issued.client_secret().expose();
        println!(
            "{:?}",
            registry.authenticate(issued.client_id().as_str(), text).await.map(|who| who.secret_id())
        );
        assert!(answer.is_ok(), "{:?}", answer.map(drop));
    });
}

#[test]
fn a_record_that_is_too_large_under_a_longer_key_id_is_named_and_keeps_nobody_waiting() {
    block_on(async {
        let bytes: [u8; 32] = std::array::from_fn(|at| at as u8);
        let other: [u8; 32] = std::array::from_fn(|at| at as u8 ^ 9);
        let short = KeyId::parse("a").unwrap();
        let long = KeyId::parse("a-key-id-of-thirty-two-character").unwrap();
        let store = MemoryStore::new();
        let (one, _) = builder(1);
        let registry = one.open(store.clone(), Keyring::new(short.clone(), &bytes).unwrap()).await.unwrap();
        let contoso = registry.as_seller("contoso").unwrap();
        let issued = contoso
            .register(support::details("large"), Availability::Worldwide, Lifetime::OneYear)
            .await
            .unwrap();
        let small = contoso
            .register(support::details("small"), Availability::Worldwide, Lifetime::OneYear)
            .await
            .unwrap();
        fill_up(&contoso.client(issued.client_id())).await;
        let keyring = Keyring::new(long, &other).unwrap().with(short, &bytes).unwrap();
        let (two, _) = builder(2);
        let registry = two.open(store, keyring).await.unwrap();
        let mut resealing = registry.reseal().await.unwrap();
        for round in 0..50 {
            match resealing.step(1).await {
                Ok(None) => {
                    assert_eq!(resealing.failed().count(), 1);
                    return;
                }
                Ok(Some(_)) => {}
                Err(error) if round < 49 => println!("{round}: {error}"),
                Err(error) => {
                    panic!("for ever: {error}; failed: {:?}; small: {}", resealing, small.client_id())
                }
            }
        }
        panic!("it does not end");
    });
}

#[test]
fn a_false_hint_does_not_make_it_endless() {
    block_on(async {
        let (memory, _, _, contents) = filled().await;
        let odd = Odd::over(memory.clone());
        let (registry, _) = open(odd.clone(), &["2027", "2026", "2025"], 2).await;
        // The index says that a record is under 2025; it is under 2026.
        *odd.state.by_key.lock().unwrap() = vec![(key("2025").0, contents.clients[0].clone())];
        let mut resealing = registry.reseal().await.unwrap();
        for _ in 0..1000 {
            if resealing.step(10).await.unwrap().is_none() {
                return;
            }
        }
        panic!("1,000 steps for one record: {:?}", resealing);
    });
}

#[test]
fn what_was_in_doubt_is_not_written_under_a_retired_key() {
    block_on(async {
        let (memory, old_node, old_clock, contents) = filled().await;
        drop(old_node);
        let (new_node, new_clock) = open(memory.clone(), &["2027", "2026"], 2).await;
        let odd = Odd::over(memory.clone());
        let (slow, slow_clock) = open(odd.clone(), &["2026", "2027"], 3).await;
        slow_clock.set_wall(Clock::wall(&old_clock).to_datetime());
        new_clock.set_wall(Clock::wall(&old_clock).to_datetime());
        let calendar = &contents.clients[0];
        odd.state.doubtful.store(true, SeqCst);
        let client = slow.as_operator("ann").unwrap().client(calendar);
        let Err(Error::Unresolved(unresolved)) =
            client.associate(&AddIn::new("x", Availability::Worldwide).unwrap()).await
        else {
            panic!()
        };
        // As the documentation says: reseal, retire, wait for a refresh, reseal once more, ask.
        let old = key("2026").0;
        for _ in 0..2 {
            let mut resealing = new_node.reseal().await.unwrap();
            while resealing.step(100).await.unwrap().is_some() {}
            new_node.retire_key(&old).await.unwrap();
            slow_clock.advance(Duration::from_secs(3600));
        }
        assert!(new_node.clients_under(&old, None, 10).await.unwrap().is_empty());
        odd.state.doubtful.store(false, SeqCst);
        // The commit expects a revision, not a key, so it finds what it expects.
        let unresolved = slow.resolve(*unresolved).await.unwrap_err();
        assert_eq!(unresolved.cause().kind(), StoreErrorKind::Unavailable);
        assert!(
            new_node.clients_under(&old, None, 10).await.unwrap().is_empty(),
            "written under a key that was retired an hour ago"
        );
        // A node of the new key settles it, under that one.
        let resolution = new_node.resolve(unresolved).await.unwrap();
        assert!(matches!(resolution, Resolution::Made(None)), "{resolution:?}");
        assert!(new_node.clients_under(&old, None, 10).await.unwrap().is_empty());
        let (alone, _) = open(memory, &["2027"], 4).await;
        let snapshot = alone.as_operator("ann").unwrap().client(calendar).snapshot().await.unwrap();
        assert!(snapshot.client().add_ins().iter().any(|add_in| add_in.as_str() == "x"));
        assert!(alone.check().await.unwrap().is_content());
    });
}

#[test]
fn a_node_whose_key_was_retired_does_not_write_the_registrys_record_under_it() {
    block_on(async {
        let store = MemoryStore::new();
        let (stale, _) = open(store.clone(), &["2026", "2027", "2025"], 1).await;
        let (new, _) = open(store.clone(), &["2027", "2026", "2025"], 2).await;
        new.retire_key(&key("2026").0).await.unwrap();
        assert_eq!(store.load(RecordId::REGISTRY).await.unwrap().unwrap().key_id(), Some(&key("2027").0));
        stale.retire_key(&key("2025").0).await.unwrap_err();
        // Nothing is under 2026 or 2025, both are retired: the keyring needs neither.
        assert_eq!(store.load(RecordId::REGISTRY).await.unwrap().unwrap().key_id(), Some(&key("2027").0));
    });
}

#[test]
fn after_a_restored_backup_commands_go_on() {
    block_on(async {
        let (memory, registry, clock, contents) = filled().await;
        let mut backup = Vec::new();
        registry.export(&mut backup).await.unwrap();
        let odd = Odd::over(memory.clone());
        let (node, hands) = open(odd.clone(), &["2026", "2027"], 3).await; // makes 2027 known: revision 2
        hands.set_wall(Clock::wall(&clock).to_datetime());
        let restored = MemoryStore::new();
        let (one, _) = builder(4);
        one.import(restored.clone(), keyring(&["2026"]), &mut &*backup).await.unwrap();
        *odd.state.instead.lock().unwrap() = Some(restored);
        node.forget();
        hands.advance(Duration::from_secs(60));
        let client = node.as_operator("ann").unwrap().client(&contents.clients[0]);
        client.snapshot().await.unwrap();
        client.associate(&AddIn::new("y", Availability::Worldwide).unwrap()).await.unwrap();
    });
}

#[test]
fn a_client_that_changes_all_the_time_is_no_fault() {
    block_on(async {
        let (memory, registry, clock, contents) = filled().await;
        let odd = Odd::over(memory);
        let (node, hands) = open(odd.clone(), &["2026"], 3).await;
        hands.set_wall(Clock::wall(&clock).to_datetime());
        let client_id = contents.clients[2].clone();
        let busy = registry.as_operator("ann").unwrap().client(&client_id);
        *odd.state.at_ending.lock().unwrap() = Some(Arc::new(move || {
            let _ = block_on(busy.add_secret(NewSecret::lasting(Lifetime::OneYear))).unwrap();
        }));
        let checked = node.check().await.unwrap();
        assert!(checked.is_content(), "{:?}", checked.faults);
    });
}

#[test]
fn an_event_that_cannot_be_read_is_named() {
    block_on(async {
        let (memory, _, clock, contents) = filled().await;
        let odd = Odd::over(memory);
        let (node, hands) = open(odd.clone(), &["2026"], 3).await;
        hands.set_wall(Clock::wall(&clock).to_datetime());
        *odd.state.spoilt.lock().unwrap() = Some(contents.clients[1].clone());
        let checked = node.check().await.unwrap();
        assert!(checked.faults.iter().any(|fault| fault.client_id() == Some(&contents.clients[1])));
    });
}

#[test]
fn a_client_that_comes_twice_is_refused() {
    block_on(async {
        let stream = exported().await;
        let all = pieces(&stream);
        // What is left of the deleted client has nothing that must be unique: one record, then its commits and events.
        let mut twice = Vec::new();
        let mut tombstone: Option<Vec<u8>> = None;
        let mut events = 0;
        for (kind, from, to) in &all {
            let piece = &stream[*from..*to];
            match kind {
                b'C' if tombstone.is_some() => break,
                b'C' if String::from_utf8_lossy(piece).contains("\"deleted\",\"owner\"") => {
                    tombstone = Some(piece.to_vec())
                }
                b'.' => break,
                _ => {
                    if let Some(bytes) = &mut tombstone {
                        events += u64::from(*kind == b'E');
                        bytes.extend_from_slice(piece);
                    }
                }
            }
        }
        let (_, end, _) = *all.last().unwrap();
        twice.extend_from_slice(&stream[..end]);
        twice.extend(tombstone.unwrap());
        let number = |at: usize| u64::from_be_bytes(stream[at..at + 8].try_into().unwrap());
        twice.extend_from_slice(&[b'.', 0, 0, 0, 16]);
        twice.extend((number(end + 5) + 1).to_be_bytes());
        twice.extend((number(end + 13) + events).to_be_bytes());
        let (builder, _) = builder(7);
        match builder.import(MemoryStore::new(), keyring(&["2026"]), &mut &*twice).await {
            Err(error) => println!("refused: {error:?}"),
            Ok((moved, _)) => {
                let checked = moved.check().await.unwrap();
                assert!(checked.is_content(), "imported as whole: {:?}", checked.faults);
                panic!("taken twice");
            }
        }
    });
}

#[test]
fn keep_fresh_leaves_the_store_a_pause() {
    let registry = block_on(async { open(MemoryStore::new(), &["2026"], 1).await.0 });
    let pauses = Mutex::new(Vec::new());
    {
        let wait = |pause: Duration| {
            pauses.lock().unwrap().push(pause);
            std::future::pending::<()>()
        };
        let mut context = Context::from_waker(Waker::noop());
        let mut keeping = pin!(registry.keep_fresh(wait));
        assert!(keeping.as_mut().poll(&mut context).is_pending());
    }
    let pauses = pauses.into_inner().unwrap();
    assert!(pauses.iter().all(|pause| !pause.is_zero()), "{pauses:?}: a busy loop");
}

/// An add-in that a client once had, and that still leads to it.
#[test]
fn a_row_that_was_not_taken_away_is_found() {
    block_on(async {
        let (memory, _, clock, contents) = filled().await;
        let store = crate::hostile::Hostile::over(memory);
        let (node, hands) = open(store.clone(), &["2026"], 3).await;
        hands.set_wall(Clock::wall(&clock).to_datetime());
        let id = contents.clients[0].clone();
        let client = node.as_operator("ann").unwrap().client(&id);
        client.dissociate(&AddInId::parse("calendar").unwrap()).await.unwrap();
        assert!(node.check().await.unwrap().is_content());
        let leads_to = id.clone();
        store.edit_client_of(move |_| Some(leads_to.clone()));
        let checked = node.check().await.unwrap();
        let is_it = |fault: &Fault| {
            fault.client_id() == Some(&id) && matches!(fault.what(), FaultKind::FoundBy(Lookup::AddIn))
        };
        assert!(checked.faults.iter().any(is_it), "{:?}", checked.faults);
    });
}

/// Nor is a store in which nothing but the beginning of an import is.
#[test]
fn an_unfinished_import_is_not_opened() {
    block_on(async {
        let stream = exported().await;
        let store = MemoryStore::new();
        let (first, _) = builder(7);
        let cut = &stream[..stream.len() / 3];
        first.import(store.clone(), keyring(&["2026"]), &mut &*cut).await.unwrap_err();
        let error = Registry::open(store.clone(), keyring(&["2026"])).await.unwrap_err();
        assert!(matches!(error, OpenError::ImportUnfinished), "{error}");
        let (again, _) = builder(8);
        let (moved, _) = again.import(store, keyring(&["2026"]), &mut &*stream).await.unwrap();
        assert!(moved.check().await.unwrap().is_content());
    });
}
