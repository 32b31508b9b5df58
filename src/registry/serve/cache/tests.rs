//! The cache by itself: every order of a load, a commit and its event; shared loads; bounds.

mod asked;
mod shared;

use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use pollster::block_on;

use crate::client::{Client, ClientState, CommandContext};
use crate::clock::ManualClock;
use crate::registry::serve::cache::*;
use crate::value::{Actor, ClientId, Revision, SellerId};
use crate::{Availability, ClientDetails, ClientSecret, Days, Lifetime, NewSecret, Policy};

const ID: &str = "calendar-app";

fn clock() -> ManualClock {
    ManualClock::new("2026-03-01T09:00:00Z".parse().unwrap())
}

fn cache() -> Cache {
    Cache::new(Freshness::within(Duration::from_secs(5)), RELOAD_AFTER, 100)
}

fn id() -> RecordId<'static> {
    RecordId::of_presented(ID).unwrap()
}

/// A client after this many commits.
fn client(revision: u64) -> Opened {
    let seller = SellerId::parse("contoso").unwrap();
    let actor = Actor::Seller(seller.clone());
    let policy = Policy::default();
    let now = "2026-03-01T09:00:00Z".parse().unwrap();
    let context = CommandContext { actor: &actor, policy: &policy, now };
    let details =
        |name: &str| ClientDetails::new(name, "app.contoso.com", "https://app.contoso.com/done").unwrap();
    let secret = ClientSecret::generate(&policy, &crate::entropy::SystemEntropy).unwrap();
    let first = NewSecret::lasting(Lifetime::OneYear);
    let id = ClientId::parse(ID).unwrap();
    let worldwide = Availability::Worldwide;
    let registered = Client::register(id, seller, details("app 1"), worldwide, &first, &secret, &context);
    let mut state = registered.unwrap().change().unwrap().into_parts().0;
    while state.revision() < Revision::new(revision) {
        let name = format!("app {}", state.revision().number() + 1);
        let ClientState::Active(client) = &state else { unreachable!() };
        state = client.change_details(details(&name), &context).unwrap().change().unwrap().into_parts().0;
    }
    Opened::new(state)
}

fn revision(found: Result<Option<Opened>, StoreError>) -> Option<u64> {
    found.unwrap().map(|opened| opened.revision().number())
}

/// What a store has under the one ID.
type Small = Arc<Mutex<Option<Opened>>>;

/// A look-up that sees the store when it is first polled, and answers when it is polled the second time.
/// Answers what there was when it was first asked, and only once it was asked `times` times more.
async fn slow(store: Small, times: usize) -> Result<Option<Opened>, StoreError> {
    let seen = store.lock().unwrap().clone();
    let mut asked = 0;
    std::future::poll_fn(|_| {
        asked += 1;
        if asked > times { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    Ok(seen)
}

async fn now(store: Small) -> Result<Option<Opened>, StoreError> {
    Ok(store.lock().unwrap().clone())
}

/// What happens while a client is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    LoadBegins,
    Commit,
    EventPasses,
    LoadEnds,
}

/// Every order in which a load begins before it ends and a commit comes before its event.
fn orders() -> Vec<[Step; 4]> {
    use Step::{Commit, EventPasses, LoadBegins, LoadEnds};
    vec![
        [LoadBegins, LoadEnds, Commit, EventPasses],
        [LoadBegins, Commit, LoadEnds, EventPasses],
        [LoadBegins, Commit, EventPasses, LoadEnds],
        [Commit, LoadBegins, LoadEnds, EventPasses],
        [Commit, LoadBegins, EventPasses, LoadEnds],
        [Commit, EventPasses, LoadBegins, LoadEnds],
    ]
}

/// Goes through one order, and answers with the revision that is found when all is over.
fn walk(
    order: [Step; 4],
    before: Option<u64>,
    fill: fn(&Cache, Option<Opened>, ClockReading),
) -> Option<u64> {
    let (cache, clock) = (cache(), clock());
    let store: Small = Arc::new(Mutex::new(before.map(client)));
    let mut began = None;
    {
        let mut load = pin!(cache.get(id(), &clock, || slow(Arc::clone(&store), 1)));
        let mut context = Context::from_waker(Waker::noop());
        for step in order {
            clock.advance(Duration::from_millis(1));
            match step {
                Step::LoadBegins => {
                    began = Some((store.lock().unwrap().clone(), ClockReading::of(&clock)));
                    assert!(load.as_mut().poll(&mut context).is_pending());
                }
                Step::Commit => *store.lock().unwrap() = Some(client(before.unwrap_or(0) + 1)),
                Step::EventPasses => {
                    cache.take_out(id());
                    cache.drained(ClockReading::of(&clock));
                }
                Step::LoadEnds => {
                    assert!(load.as_mut().poll(&mut context).is_ready());
                    let (seen, loaded) = began.take().unwrap();
                    fill(&cache, seen, loaded);
                }
            }
        }
    }
    revision(block_on(cache.get(id(), &clock, || now(Arc::clone(&store)))))
}

#[test]
fn whatever_happens_while_it_loads_nothing_stale_is_left_once_the_event_has_passed() {
    for before in [None, Some(1), Some(2)] {
        for order in orders() {
            let found = walk(order, before, |_, _, _| {});
            assert_eq!(found, Some(before.unwrap_or(0) + 1), "{order:?} after {before:?}");
        }
    }
}

/// Polls of the feed that go on while a load is on its way vouch for what is kept, and not for what they have carried the event
/// of: neither the one who loads is let in by it, nor who waits for that load.
#[test]
fn a_load_that_its_event_overtook_is_no_answer_past_the_freshness() {
    for before in [None, Some(1)] {
        for steps in 0..12 {
            let (cache, clock) = (cache(), clock());
            let store: Small = Arc::new(Mutex::new(before.map(client)));
            clock.advance(Duration::from_millis(1));
            let load = || slow(Arc::clone(&store), 2);
            let mut calls =
                [Box::pin(cache.get(id(), &clock, load)), Box::pin(cache.get(id(), &clock, load))];
            let mut context = Context::from_waker(Waker::noop());
            for call in &mut calls {
                assert!(call.as_mut().poll(&mut context).is_pending());
            }
            *store.lock().unwrap() = Some(client(2));
            cache.take_out(id());
            cache.drained(ClockReading::of(&clock));
            for _ in 0..steps {
                clock.advance(Duration::from_secs(1));
                cache.drained(ClockReading::of(&clock));
            }
            for call in &mut calls {
                let answer = loop {
                    if let Poll::Ready(answer) = call.as_mut().poll(&mut context) {
                        break revision(answer);
                    }
                };
                let is_young = steps < 5;
                assert!(
                    answer == Some(2) || is_young && answer == before,
                    "{answer:?} after {steps} seconds"
                );
            }
        }
    }
}

/// The planted fault: a load that enters whatever went by.
#[test]
fn a_stale_fill_is_found() {
    let careless = |cache: &Cache, seen: Option<Opened>, loaded: ClockReading| match seen {
        Some(opened) => {
            cache.clients.insert(ID.to_owned(), Entry { opened, age: Age { loaded, lasts: 600 } })
        }
        None => cache.unknown.insert(ID.to_owned(), Age { loaded, lasts: 600 }),
    };
    for before in [None, Some(1)] {
        let stale = orders().into_iter().filter(|order| walk(*order, before, careless) == before);
        assert_eq!(stale.collect::<Vec<_>>(), [orders()[2]], "{before:?}");
    }
}

#[test]
fn an_own_commit_is_known_at_once_even_if_somebody_looked_while_it_was_under_way() {
    let (cache, clock) = (cache(), clock());
    let store: Small = Arc::new(Mutex::new(Some(client(1))));
    let ask = || revision(block_on(cache.get(id(), &clock, || now(Arc::clone(&store)))));
    assert_eq!(ask(), Some(1));
    let commit = Commit::new(crate::store::CommitId::from_bytes([1; 16]), vec![change(client(2))]);
    let committing = cache.committing(&commit);
    // Not acknowledged yet, so the old one is right, and it enters.
    assert_eq!(ask(), Some(1));
    *store.lock().unwrap() = Some(client(2));
    drop(committing);
    assert_eq!(ask(), Some(2));
}

fn change(opened: Opened) -> crate::store::RecordChange {
    let record = crate::store::Record::live(opened);
    crate::store::RecordChange::new(
        record,
        crate::store::Expected::Absent,
        crate::store::Index::default(),
        &[],
    )
}

#[test]
fn an_entry_is_fresh_until_its_limit_after_its_load_or_the_last_drained_poll_was_sent() {
    let (cache, clock) = (cache(), clock());
    let store: Small = Arc::new(Mutex::new(Some(client(1))));
    let ask = || revision(block_on(cache.get(id(), &clock, || now(Arc::clone(&store)))));
    assert_eq!(ask(), Some(1));
    *store.lock().unwrap() = Some(client(2));
    // Nobody follows the feed. Traffic does not make it last longer.
    for _ in 0..49 {
        clock.advance(Duration::from_millis(100));
        assert_eq!(ask(), Some(1));
    }
    clock.advance(Duration::from_millis(100));
    assert_eq!(ask(), Some(2));

    // Followed from here on: what was loaded before cannot be vouched for, and goes.
    clock.advance(Duration::from_millis(1));
    *store.lock().unwrap() = Some(client(3));
    cache.clear();
    cache.drained(ClockReading::of(&clock));
    assert_eq!(ask(), Some(3));
    // This one can.
    *store.lock().unwrap() = Some(client(4));
    for _ in 0..10 {
        clock.advance(Duration::from_secs(4));
        cache.drained(ClockReading::of(&clock));
        assert_eq!(ask(), Some(3));
    }
    clock.advance(Duration::from_secs(5));
    assert_eq!(ask(), Some(4));
}

#[test]
fn rule_19_a_wall_clock_that_jumps_never_makes_an_entry_last_longer() {
    let (cache, clock) = (cache(), clock());
    let store: Small = Arc::new(Mutex::new(Some(client(1))));
    let ask = || revision(block_on(cache.get(id(), &clock, || now(Arc::clone(&store)))));
    assert_eq!(ask(), Some(1));
    *store.lock().unwrap() = Some(client(2));
    clock.set_wall("2020-01-01T00:00:00Z".parse().unwrap());
    clock.advance(Duration::from_millis(4999));
    assert_eq!(ask(), Some(1));
    clock.advance(Duration::from_millis(1));
    assert_eq!(ask(), Some(2));
    // A machine that was suspended: the monotonic clock stood still.
    *store.lock().unwrap() = Some(client(3));
    clock.set_wall("2030-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(ask(), Some(3));
}

#[test]
fn those_who_miss_the_same_client_share_one_load() {
    let (cache, clock) = (cache(), clock());
    let loads = AtomicU64::new(0);
    let store: Small = Arc::new(Mutex::new(Some(client(1))));
    let load = || {
        loads.fetch_add(1, Ordering::Relaxed);
        slow(Arc::clone(&store), 10)
    };
    let mut context = Context::from_waker(Waker::noop());
    let mut calls: Vec<_> = (0..10).map(|_| Box::pin(cache.get(id(), &clock, load))).collect();
    for call in &mut calls {
        assert!(call.as_mut().poll(&mut context).is_pending());
    }
    assert_eq!(loads.load(Ordering::Relaxed), 1);
    // The one who began it gives up: the rest go on with that load.
    drop(calls.remove(0));
    let mut answers = 0;
    while !calls.is_empty() {
        calls.retain_mut(|call| match call.as_mut().poll(&mut context) {
            Poll::Ready(answer) => {
                assert_eq!(revision(answer), Some(1));
                answers += 1;
                false
            }
            Poll::Pending => true,
        });
    }
    assert_eq!((answers, loads.load(Ordering::Relaxed)), (9, 1));
}

#[test]
fn a_store_that_does_not_answer_is_unavailable_once_freshness_has_run_out() {
    let (cache, clock) = (cache(), clock());
    let store: Small = Arc::new(Mutex::new(Some(client(1))));
    assert_eq!(revision(block_on(cache.get(id(), &clock, || now(Arc::clone(&store))))), Some(1));
    let down = || async { Err(StoreError::new(StoreErrorKind::Unavailable)) };
    clock.advance(Duration::from_millis(4999));
    assert_eq!(revision(block_on(cache.get(id(), &clock, down))), Some(1));
    clock.advance(Duration::from_millis(1));
    let error = block_on(cache.get(id(), &clock, down)).map(drop).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    // And back at once when it answers again.
    clock.advance(Duration::from_millis(1));
    assert_eq!(revision(block_on(cache.get(id(), &clock, || now(Arc::clone(&store))))), Some(1));
}

#[test]
fn a_million_ids_that_nobody_has_do_not_grow_it_and_push_nobody_out() {
    let (cache, clock) = (cache(), clock());
    let store: Small = Arc::new(Mutex::new(Some(client(1))));
    let ask = || revision(block_on(cache.get(id(), &clock, || now(Arc::clone(&store)))));
    assert_eq!(ask(), Some(1));
    *store.lock().unwrap() = Some(client(2));
    for number in 0..1_000_000 {
        let unknown = format!("unknown-{number:07}");
        let record_id = RecordId::of_presented(&unknown).unwrap();
        assert_eq!(revision(block_on(cache.get(record_id, &clock, || async { Ok(None) }))), None);
    }
    assert!(cache.unknown.len() <= UNKNOWN, "{}", cache.unknown.len());
    assert_eq!(cache.clients.len(), 1);
    assert_eq!(ask(), Some(1), "still the one that was there");
    // Those that are remembered cost the store nothing, until their time is up.
    let asked = |load: fn() -> std::future::Ready<Result<Option<Opened>, StoreError>>| {
        let record_id = RecordId::of_presented("unknown-0999999").unwrap();
        revision(block_on(cache.get(record_id, &clock, load)))
    };
    assert_eq!(asked(|| unreachable!()), None);
    clock.advance(Days::new(1));
    assert_eq!(asked(|| std::future::ready(Ok(Some(client(1))))), Some(1));
}
