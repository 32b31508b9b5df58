//! What is kept in memory beside a store that lags, is down, or was set back.

use std::pin::pin;
use std::sync::Mutex;
use std::sync::atomic::Ordering::SeqCst;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use client_registry::clock::{Clock, ManualClock};
use client_registry::store::MemoryStore;
use client_registry::*;
use pollster::block_on;

use crate::at_rest::odd::Odd;
use crate::at_rest::world::{Contents, builder, filled, keyring, open};

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
fn a_look_up_that_is_left_alone_or_dropped_holds_nobody_else_up() {
    block_on(async {
        let (odd, registry, hands, _, contents) = cached().await;
        let known = &contents.valid[0];
        let mut context = Context::from_waker(Waker::noop());
        odd.state.parked.store(true, SeqCst);
        let mut first = Box::pin(registry.authenticate(known.client_id.as_str(), &known.text));
        assert!(first.as_mut().poll(&mut context).is_pending());
        odd.state.parked.store(false, SeqCst);
        // They share one load, which the second one drives.
        let mut second = Box::pin(registry.authenticate(known.client_id.as_str(), &known.text));
        assert!(matches!(second.as_mut().poll(&mut context), Poll::Ready(Ok(_))));
        drop((first, second));

        // An hour later nobody joins a load that would be too late, and who began it hears what came of the later one.
        hands.advance(Duration::from_secs(3600));
        odd.state.parked.store(true, SeqCst);
        let mut first = pin!(registry.authenticate(known.client_id.as_str(), &known.text));
        assert!(first.as_mut().poll(&mut context).is_pending());
        odd.state.parked.store(false, SeqCst);
        hands.advance(Duration::from_secs(3600));
        let mut second = pin!(registry.authenticate(known.client_id.as_str(), &known.text));
        assert!(matches!(second.as_mut().poll(&mut context), Poll::Ready(Ok(_))));
        assert!(matches!(first.as_mut().poll(&mut context), Poll::Ready(Ok(_))));
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
fn any_number_of_cached_clients_opens() {
    block_on(async {
        let registry =
            Registry::builder().cached_clients(usize::MAX).open(MemoryStore::new(), keyring(&["2026"])).await;
        registry.unwrap();
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
