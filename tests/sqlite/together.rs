//! Changes that wait together: they share a flush, and each gets its own answer.

use std::future::Future;
use std::pin::Pin;
use std::thread;
use std::time::Duration;

use client_registry::store::SqliteStore;
use client_registry::{AddIn, Availability, ClientId, Error, Lifetime, NewSecret};
use pollster::block_on;
use proptest::prelude::*;

use crate::support::poll_once;
use crate::world::{Scratch, World, details};

/// A registry whose changes wait for as long as it takes.
fn world() -> World {
    let scratch = Scratch::new();
    let store = SqliteStore::options().busy_timeout(Duration::from_secs(60)).open(scratch.file()).unwrap();
    World::of(scratch, store)
}

/// What can be done to the clients `a` and `b`, which serve an add-in each.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    /// Registers a client of this name. Of several with one name all but one are refused: `Taken`.
    Register(u8),
    /// Adds a secret to one of the two. Of several that were decided on one revision all but one are a `Conflict`, and are decided
    /// anew.
    Add(bool),
    /// Associates an add-in with one of the two. It goes to one of them.
    Associate(bool, u8),
    /// The same as `Add`, and the caller goes away.
    Leave(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0..4_u8).prop_map(Step::Register),
        any::<bool>().prop_map(Step::Add),
        (any::<bool>(), 0..3_u8).prop_map(|(of, add_in)| Step::Associate(of, add_in)),
        any::<bool>().prop_map(Step::Leave),
    ];
    prop::collection::vec(step, 2..=4)
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>>;

fn begin(world: &World, step: Step) -> Answer<'_> {
    let contoso = &world.contoso;
    let client = |is_b: bool| contoso.client(&id_of(world, name(is_b)));
    match step {
        Step::Register(number) => Box::pin(async move {
            contoso.register(details(&format!("app {number}")), Lifetime::OneYear).await.map(drop)
        }),
        Step::Add(of) | Step::Leave(of) => {
            let client = client(of);
            Box::pin(async move { client.add_secret(NewSecret::lasting(Lifetime::OneYear)).await.map(drop) })
        }
        Step::Associate(of, number) => {
            let (client, add_in) = (client(of), add_in(number));
            Box::pin(async move { client.associate(&add_in).await.map(drop) })
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// All of them wait together, and each is made or refused as if it had been alone.
    #[test]
    fn each_of_those_that_wait_together_gets_its_own_answer(steps in steps()) {
        let world = world();
        let registered = [false, true].map(|is_b| world.register(name(is_b)));
        let other = world.scratch.engine();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let mut begun: Vec<_> = steps.iter().map(|step| (*step, begin(&world, *step))).collect();
        for (_, answer) in &mut begun {
            prop_assert!(poll_once(answer.as_mut()).is_pending());
        }
        begun.retain(|(step, _)| !matches!(step, Step::Leave(_)));
        other.execute_batch("ROLLBACK").unwrap();
        let answers: Vec<_> = begun.into_iter().map(|(step, answer)| (step, block_on(answer))).collect();

        let made = |wanted: Step| answers.iter().filter(move |(s, a)| *s == wanted && a.is_ok()).count();
        for (step, answer) in &answers {
            match (step, answer) {
                (Step::Register(_), Err(Error::NameTaken { .. }))
                | (Step::Associate(..), Err(Error::AddInTaken { .. }) | Ok(()))
                | (Step::Register(_) | Step::Add(_), Ok(())) => {}
                other => prop_assert!(false, "{other:?}"),
            }
            match *step {
                Step::Register(_) => prop_assert_eq!(made(*step), 1, "{:?}", answers),
                Step::Associate(of, number) => {
                    let (one, other) = (made(*step), made(Step::Associate(!of, number)));
                    prop_assert!((one == 0) != (other == 0), "{answers:?}");
                    let owner = block_on(world.contoso.client_of(add_in(number).id())).unwrap().unwrap();
                    prop_assert_eq!(owner.client().id() == registered[usize::from(of)].client_id(), one > 0);
                }
                Step::Add(_) | Step::Leave(_) => {}
            }
        }
        for (is_b, issued) in [false, true].into_iter().zip(&registered) {
            let snapshot = block_on(world.contoso.client(issued.client_id()).snapshot()).unwrap();
            let secrets = snapshot.client().secrets().count();
            // The first to wait may have been begun before its caller left.
            let left = usize::from(steps[0] == Step::Leave(is_b));
            prop_assert!((1 + made(Step::Add(is_b))..=1 + made(Step::Add(is_b)) + left).contains(&secrets));
        }
        // Every record opens, every trail leads to it, and every index leads there.
        let checked = block_on(world.registry.check()).unwrap();
        prop_assert!(checked.is_clean(), "{:?}", checked.discrepancies);
    }
}

#[test]
fn what_waits_together_shares_a_flush() {
    let world = world();
    let clients: Vec<_> = (0..9).map(|number| world.register(&format!("app {number}"))).collect();
    let before = flushes(&world);
    let other = world.scratch.engine();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let handles: Vec<_> = clients.iter().map(|issued| world.contoso.client(issued.client_id())).collect();
    let mut adds: Vec<_> = handles
        .iter()
        .map(|client| Box::pin(client.add_secret(NewSecret::lasting(Lifetime::OneYear))))
        .collect();
    for add in &mut adds {
        assert!(poll_once(add.as_mut()).is_pending());
    }
    other.execute_batch("ROLLBACK").unwrap();
    adds.into_iter().for_each(|add| drop(block_on(add).unwrap()));
    let flushes = flushes(&world) - before;
    // The first of them may have been begun before the others came.
    assert!((1..=2).contains(&flushes), "{flushes} flushes of 9 changes");
}

#[test]
fn four_callers_share_flushes() {
    let world = world();
    let clients: Vec<_> = (0..4).map(|number| world.register(&format!("app {number}"))).collect();
    let before = flushes(&world);
    thread::scope(|scope| {
        for issued in &clients {
            let client = world.contoso.client(issued.client_id());
            scope.spawn(move || {
                for round in 0..EACH {
                    block_on(client.change_details(details(&format!("{} {round}", client.id())))).unwrap();
                }
            });
        }
    });
    let flushes = flushes(&world) - before;
    assert!(flushes < 4 * EACH, "{flushes} flushes of {} changes", 4 * EACH);
    assert!(block_on(world.registry.check()).unwrap().is_clean());
}

/// How many commits there are in the log: the frames that say how long the file is then. Each was flushed once.
fn flushes(world: &World) -> usize {
    let log = std::fs::read(world.scratch.path().join("registry.db-wal")).unwrap();
    let (header, frames) = log.split_at(32);
    let of_this_log = frames.chunks_exact(24 + 4_096).filter(|frame| frame[8..16] == header[16..24]);
    of_this_log.filter(|frame| frame[4..8] != [0; 4]).count()
}

fn id_of(world: &World, name: &str) -> ClientId {
    block_on(world.contoso.client_named(name)).unwrap().unwrap().client().id().clone()
}

fn name(is_b: bool) -> &'static str {
    if is_b { "b" } else { "a" }
}

fn add_in(number: u8) -> AddIn {
    AddIn::new(&format!("add-in-{number}"), Availability::Worldwide).unwrap()
}

/// Few enough that the log does not start over.
const EACH: usize = 25;
