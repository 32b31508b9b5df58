//! Commits whose outcome nobody knows: a command succeeds once and never twice, or it hands over what it issued and
//! can be settled later, both ways.

use std::collections::VecDeque;
use std::io::Write as _;
use std::sync::{Arc, Mutex};

use client_registry::registry::{Resolution, Unresolved};
use client_registry::store::{
    Commit, CommitError, Committed, MemoryStore, Store, StoreError, StoreErrorKind,
};
use client_registry::value::Revision;
use client_registry::*;
use pollster::block_on;

use crate::interleavings::world::{World, add_in, one_more};
use crate::support::details;

use crate::support::forward;

/// What becomes of one commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// It is applied and acknowledged.
    None,
    /// It fails, and was not applied.
    Before,
    /// It fails, and was applied.
    After,
    /// It fails, and is still on its way.
    Late,
    /// The store knows that it was not written, this time.
    Refused,
}

/// A store that fails as it is told, then works.
#[derive(Debug, Clone)]
struct Flaky {
    memory: MemoryStore,
    script: Arc<Mutex<Script>>,
}

#[derive(Debug, Default)]
struct Script {
    faults: VecDeque<Fault>,
    broken_histories: usize,
    on_its_way: Vec<Commit>,
    applied: usize,
}

impl Flaky {
    fn script(&self) -> std::sync::MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    fn will(&self, faults: &[Fault]) {
        self.script().faults = faults.iter().copied().collect();
    }

    /// What was on its way arrives.
    fn deliver(&self) {
        let late = std::mem::take(&mut self.script().on_its_way);
        for commit in late {
            let _ = block_on(self.apply(&commit));
        }
    }

    async fn apply(&self, commit: &Commit) -> Result<(), CommitError> {
        self.memory.commit(commit).await?;
        self.script().applied += 1;
        Ok(())
    }
}

fn unavailable() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable)
}

impl Store for Flaky {
    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        let fault = self.script().faults.pop_front().unwrap_or(Fault::None);
        match fault {
            Fault::None => return self.apply(commit).await,
            Fault::Before => {}
            Fault::Refused => return Err(CommitError::NotWritten(StoreError::new(StoreErrorKind::ReadOnly))),
            Fault::After => drop(self.apply(commit).await),
            Fault::Late => self.script().on_its_way.push(commit.clone()),
        }
        Err(unavailable().into())
    }

    async fn history(
        &self,
        client_id: &ClientId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<Committed>, StoreError> {
        let broken = &mut self.script().broken_histories;
        if *broken > 0 {
            *broken -= 1;
            return Err(unavailable());
        }
        block_on(self.memory.history(client_id, after, limit))
    }

    forward!(memory: load clients client_of ending changes latest adopt note_uses last_uses);
}

fn flaky() -> (World, Flaky) {
    let mut store = None;
    let world = World::behind(|memory, _| {
        let script = Arc::default();
        let flaky = Flaky { memory, script };
        store.insert(flaky).clone()
    });
    (world, store.unwrap())
}

/// Every way in which up to four sends of one commit can fail.
fn every_script() -> Vec<Vec<Fault>> {
    let mut scripts = vec![vec![]];
    let mut longest = scripts.clone();
    for _ in 0..4 {
        let longer = longest.iter().flat_map(|script: &Vec<Fault>| {
            [Fault::Before, Fault::After].map(|fault| [script.as_slice(), &[fault]].concat())
        });
        longest = longer.collect();
        scripts.extend(longest.iter().cloned());
    }
    scripts
}

/// Whatever fails: a secret is added exactly once, and its plaintext is in the hands of the caller.
#[test]
fn rule_08_an_add_succeeds_once_or_hands_over_what_it_issued() {
    let scripts = every_script();
    let mut unresolved = 0;
    for script in &scripts {
        let (world, store) = flaky();
        let client = world.client("calendar");
        let before = store.script().applied;
        store.will(script);
        let issued = match block_on(client.add_secret(one_more())) {
            Ok(issued) => {
                assert!(script.len() < 3, "{script:?} fails three times in a row");
                issued
            }
            Err(Error::Unresolved(open)) => {
                unresolved += 1;
                assert!(script.len() >= 3, "{script:?} was given up too early");
                assert_eq!(open.cause().kind(), StoreErrorKind::Unavailable);
                assert_eq!(open.issued().unwrap().secret_id().number(), 2);
                settled(&world, *open).unwrap()
            }
            Err(error) => panic!("{script:?}: {error}"),
        };
        assert_eq!(store.script().applied - before, 1, "{script:?}");
        assert_eq!(world.snapshot(client.id()).unwrap().client().secrets().len(), 2, "{script:?}");
        let who = authenticate(&world, &issued).unwrap();
        assert_eq!(who.secret_id(), issued.secret_id());
        world.audit().unwrap();
    }
    // Past the capture of passing tests: a figure that nobody sees is none.
    let _ = writeln!(
        std::io::stdout(),
        "{} ways to fail, {unresolved} of them left to be resolved",
        scripts.len()
    );
}

/// The other commands go the same way; two clients in one commit as well.
#[test]
fn every_command_is_carried_out_once_whatever_fails() {
    for script in every_script().into_iter().filter(|script| script.len() < 3) {
        let (world, store) = flaky();
        let once = |name: &str, command: &dyn Fn() -> Result<(), String>| {
            let before = store.script().applied;
            store.will(&script);
            command().unwrap_or_else(|error| panic!("{name}, {script:?}: {error}"));
            assert_eq!(store.script().applied - before, 1, "{name}, {script:?}");
            world.audit().unwrap_or_else(|wrong| panic!("{name}, {script:?}: {wrong}"));
        };
        let (from, to) = (world.client("calendar"), world.client("mail"));
        let id = add_in("add-in-1");
        once("register", &|| {
            let seller = world.seller("contoso");
            done(block_on(seller.register(details("diary"), Lifetime::OneYear)))
        });
        once("associate", &|| done(block_on(from.associate(&id))));
        once("move", &|| done(block_on(from.move_add_in(id.id(), to.id()))));
        once("rotate", &|| done(block_on(from.rotate(Rotation::overlap(Days::new(30))))));
        once("emergency", &|| {
            let replaced = from.delete_in_emergency(SecretId::new(1).unwrap(), Some(one_more()));
            done(block_on(replaced))
        });
        once("delete", &|| {
            let plan = block_on(to.plan_client_deletion()).unwrap();
            done(block_on(to.confirm(plan)))
        });
        assert_eq!(world.snapshot(from.id()).unwrap().client().secrets().len(), 2, "{script:?}");
    }
}

/// It was not made, and another commit has made the revision: it is settled that it never will be.
#[test]
fn resolving_what_was_overtaken_says_that_it_was_not_made() {
    let (world, store) = flaky();
    let client = world.client("calendar");
    store.will(&[Fault::Late, Fault::Before, Fault::Before]);
    let open = unresolved(block_on(client.add_secret(one_more())));
    assert_eq!(block_on(client.change_details(details("diary"))).unwrap(), Outcome::Changed);
    let resolution = block_on(world.registry.resolve(open)).unwrap();
    assert!(matches!(resolution, Resolution::NotMade));
    store.deliver();
    assert_eq!(world.snapshot(client.id()).unwrap().client().secrets().len(), 1);
    world.audit().unwrap();
}

/// It was made, though others have changed the client since: the history says whose commit it was.
#[test]
fn resolving_what_was_made_and_built_upon_says_that_it_was_made() {
    let (world, store) = flaky();
    let client = world.client("calendar");
    store.will(&[Fault::Late, Fault::Before, Fault::Before]);
    let open = unresolved(block_on(client.add_secret(one_more())));
    store.deliver();
    assert_eq!(block_on(client.change_details(details("diary"))).unwrap(), Outcome::Changed);
    let issued = settled(&world, open).unwrap();
    assert!(authenticate(&world, &issued).is_ok());
    world.audit().unwrap();
}

/// While the store does not say, the plaintext stays where it is.
#[test]
fn resolving_while_the_store_fails_keeps_the_plaintext() {
    let (world, store) = flaky();
    let client = world.client("calendar");
    store.will(&[Fault::After, Fault::Before, Fault::Before, Fault::Before, Fault::Before, Fault::Before]);
    let open = unresolved(block_on(client.add_secret(one_more())));
    let open = block_on(world.registry.resolve(open)).unwrap_err();
    store.script().broken_histories = 1;
    let open = block_on(world.registry.resolve(open)).unwrap_err();
    let issued = settled(&world, open).unwrap();
    assert!(authenticate(&world, &issued).is_ok());
}

/// That an attempt was not written says nothing of one before it that failed: the disk is full by now, and the first attempt
/// may have been the one that filled it.
#[test]
fn what_is_in_doubt_stays_so_when_it_is_not_written_again() {
    for first in [Fault::After, Fault::Late] {
        let (world, store) = flaky();
        let client = world.client("calendar");
        store.will(&[first, Fault::Refused, Fault::Refused, Fault::Refused]);
        let open = unresolved(block_on(client.add_secret(one_more())));
        // Nor when it is asked for later.
        store.will(&[Fault::Refused, Fault::Refused, Fault::Refused]);
        let open = block_on(world.registry.resolve(open)).unwrap_err();
        store.deliver();
        let issued = settled(&world, open).unwrap();
        assert!(authenticate(&world, &issued).is_ok(), "{first:?}");
        assert_eq!(world.snapshot(client.id()).unwrap().client().secrets().len(), 2);
        world.audit().unwrap();
    }
    // Where nothing is in doubt it is an error like any other, and nothing is handed over to be resolved.
    let (world, store) = flaky();
    let client = world.client("calendar");
    store.will(&[Fault::Refused]);
    let refused = block_on(client.add_secret(one_more())).unwrap_err();
    assert!(!matches!(refused, Error::Unresolved(_)), "{refused:?}");
    assert_eq!(world.snapshot(client.id()).unwrap().client().secrets().len(), 1);
}

/// While a first attempt failed, another node changed the client: the command is decided anew, once.
#[test]
fn a_failed_attempt_that_was_overtaken_is_decided_anew() {
    let (world, store) = flaky();
    let client = world.client("calendar");
    store.will(&[Fault::Late, Fault::Before, Fault::Before]);
    let open = unresolved(block_on(client.add_secret(one_more())));
    store.will(&[Fault::Before]);
    let issued = block_on(client.add_secret(one_more())).unwrap();
    store.deliver();
    assert!(matches!(block_on(world.registry.resolve(open)).unwrap(), Resolution::NotMade));
    assert_eq!(world.snapshot(client.id()).unwrap().client().secrets().len(), 2);
    assert!(authenticate(&world, &issued).is_ok());
    world.audit().unwrap();
}

/// That a name is taken now does not fence an attempt that is still on its way: if the name becomes free, it may yet
/// be applied. So nothing is settled, and the plaintext is kept.
#[test]
fn what_is_still_on_its_way_is_not_settled_by_a_name_that_is_taken() {
    let (world, store) = flaky();
    let seller = world.seller("contoso");
    let register = || seller.register(details("calendar"), Lifetime::OneYear);
    store.will(&[Fault::Late, Fault::Before, Fault::Before]);
    let open = unresolved(block_on(register()));
    let other = world.client("calendar");
    let settled_early = block_on(world.registry.resolve(open));
    assert_eq!(block_on(other.change_details(details("diary"))).unwrap(), Outcome::Changed);
    store.deliver();
    let is_there = block_on(seller.client_named("calendar")).unwrap().is_some();
    match settled_early {
        Ok(Resolution::NotMade) => assert!(!is_there, "it was said that it could no longer be made"),
        Ok(resolution) => panic!("{resolution:?}"),
        Err(open) => {
            let issued = settled(&world, open).unwrap();
            assert!(is_there && authenticate(&world, &issued).is_ok());
        }
    }
    world.audit().unwrap();
}

fn done<T, E: std::fmt::Display>(answer: Result<T, E>) -> Result<(), String> {
    answer.map(drop).map_err(|error| error.to_string())
}

fn unresolved(answer: Result<Issued, Error>) -> Unresolved {
    match answer {
        Err(Error::Unresolved(open)) => *open,
        other => panic!("{other:?}"),
    }
}

/// What was issued by a change that turned out to have been made; asks until the store says so.
fn settled(world: &World, mut open: Unresolved) -> Option<Issued> {
    for _ in 0..3 {
        match block_on(world.registry.resolve(open)) {
            Ok(Resolution::Made(issued)) => return issued,
            Ok(resolution) => panic!("{resolution:?}"),
            Err(still) => open = still,
        }
    }
    panic!("{open:?}")
}

fn authenticate(world: &World, issued: &Issued) -> Result<Authenticated, AccessError> {
    let (id, text) = (issued.client_id().as_str(), issued.client_secret().expose());
    block_on(world.registry.authenticate(id, text))
}
