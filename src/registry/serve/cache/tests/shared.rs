//! Loads that are shared: what those who wait are told, and that none of them depends on another.

use crate::registry::serve::cache::tests::asked::*;
use crate::registry::serve::cache::tests::*;
use std::sync::atomic::AtomicUsize;

#[test]
fn a_store_slower_than_the_freshness_is_asked_once_and_all_who_wait_are_told_together() {
    for callers in [1, 10] {
        let (cache, clock) = (cache(), clock());
        let store = some(1);
        let asked = Asked::needing(3);
        let mut tasks: Vec<_> =
            (0..callers).map(|_| Task::new(cache.get(id(), &clock, || asked.load(&store)))).collect();
        for _ in 0..3 {
            run_woken(&mut tasks);
            clock.advance(Duration::from_millis(1700));
            asked.step();
        }
        run_woken(&mut tasks);
        for task in &tasks {
            assert_eq!(kind(&task.answer), Some(StoreErrorKind::Unavailable));
        }
        assert_eq!(asked.loads(), 1, "{callers} callers");
    }
}

#[test]
fn a_failed_load_is_told_to_all_who_waited_for_it_and_to_nobody_else() {
    let (cache, clock) = (cache(), clock());
    let (bad, good) = (Asked { fails: true, ..Asked::needing(2) }, Asked::needing(2));
    let (store, other_id) = (some(1), RecordId::of_presented("mail-app").unwrap());
    let mut tasks: Vec<_> = (0..20)
        .map(|number| match number % 2 {
            0 => Task::new(cache.get(id(), &clock, || bad.load(&store))),
            _ => Task::new(cache.get(other_id, &clock, || good.load(&store))),
        })
        .collect();
    run_woken(&mut tasks);
    for _ in 0..2 {
        bad.step();
        good.step();
        run_woken(&mut tasks);
    }
    for (number, task) in tasks.iter().enumerate() {
        let expected = (number % 2 == 0).then_some(StoreErrorKind::Unavailable);
        assert_eq!(kind(&task.answer), expected, "{number}");
        if let Some(Err(error)) = &task.answer {
            assert_eq!(error.cause().unwrap().to_string(), "the cable is cut");
        }
    }
    assert_eq!((bad.loads(), good.loads()), (1, 1));
    // From now on each caller asks the store.
    let mut late = [Task::new(cache.get(id(), &clock, || good.load(&store)))];
    run_all(&mut late, &good);
    assert_eq!((kind(&late[0].answer), good.loads()), (None, 2));
}

/// Any of those who share a load goes away at any point, also the one who began it and the last one.
#[test]
fn whoever_is_dropped_at_whichever_point_the_rest_proceed_with_the_same_load() {
    let mut cases = 0;
    for dropped in 1_u32..15 {
        for step in 0..5 {
            for order in 0..4 {
                let (cache, clock) = (cache(), clock());
                let store = some(1);
                let asked = Asked::needing(3);
                let mut tasks: Vec<_> =
                    (0..4).map(|_| Task::new(cache.get(id(), &clock, || asked.load(&store)))).collect();
                tasks.rotate_left(order);
                for _ in 0..step {
                    for task in &mut tasks {
                        task.run();
                    }
                    asked.step();
                }
                for (number, task) in tasks.iter_mut().enumerate() {
                    if dropped & (1 << number) != 0 {
                        task.drop_it();
                    }
                }
                run_all(&mut tasks, &asked);
                for (number, task) in tasks.iter().enumerate() {
                    let is_dropped = dropped & (1 << number) != 0;
                    assert!(is_dropped || task.answer.is_some(), "{number} waits: {dropped:b} after {step}");
                }
                assert_eq!(asked.loads(), 1, "{dropped:b} after {step}");
                cases += 1;
            }
        }
    }
    assert_eq!(cases, 14 * 5 * 4);
    // When all have gone, nothing is left behind, and the next one begins anew.
    let (cache, clock) = (cache(), clock());
    let (store, asked) = (some(1), Asked::needing(3));
    let mut tasks: Vec<_> =
        (0..4).map(|_| Task::new(cache.get(id(), &clock, || asked.load(&store)))).collect();
    for task in &mut tasks {
        task.run();
    }
    tasks.clear();
    assert_eq!(Arc::strong_count(&store), 1, "the load has gone with them");
    let mut next = [Task::new(cache.get(id(), &clock, || asked.load(&store)))];
    run_all(&mut next, &asked);
    assert_eq!((kind(&next[0].answer), asked.loads()), (None, 2));
}

#[test]
fn a_caller_that_is_polled_once_and_then_left_alone_holds_up_nobody() {
    let (cache, clock) = (cache(), clock());
    let (store, asked) = (some(1), Asked::needing(2));
    let mut left_alone = Task::new(cache.get(id(), &clock, || asked.load(&store)));
    assert!(left_alone.run());
    let mut tasks = [Task::new(cache.get(id(), &clock, || asked.load(&store)))];
    run_all(&mut tasks, &asked);
    assert_eq!(revision(tasks[0].answer.take().unwrap()), Some(1));
    assert_eq!(asked.loads(), 1);
    run_woken(std::slice::from_mut(&mut left_alone));
    assert_eq!(revision(left_alone.answer.take().unwrap()), Some(1));
}

#[test]
fn a_waiter_that_hears_of_a_load_too_late_is_not_handed_it() {
    let (cache, clock) = (cache(), clock());
    let (store, asked) = (some(1), Asked::needing(1));
    let mut first = Task::new(cache.get(id(), &clock, || asked.load(&store)));
    let mut second = Task::new(cache.get(id(), &clock, || asked.load(&store)));
    assert!(first.run() && second.run());
    asked.step();
    assert!(first.run());
    assert_eq!(revision(first.answer.take().unwrap()), Some(1));
    // A change elsewhere, and more than the freshness: the executor comes back to the second one.
    *store.lock().unwrap() = Some(client(2));
    clock.advance(Duration::from_secs(5));
    run_all(std::slice::from_mut(&mut second), &asked);
    assert_eq!(revision(second.answer.take().unwrap()), Some(2));
    assert_eq!(asked.loads(), 2);
}

/// The same where polls of the feed vouch for what is kept: they have carried the event of the change.
#[test]
fn a_waiter_that_hears_of_a_load_after_its_event_is_not_handed_it_past_the_freshness() {
    let (cache, clock) = (cache(), clock());
    let (store, asked) = (some(1), Asked::needing(1));
    let mut first = Task::new(cache.get(id(), &clock, || asked.load(&store)));
    let mut second = Task::new(cache.get(id(), &clock, || asked.load(&store)));
    assert!(first.run() && second.run());
    asked.step();
    assert!(first.run());
    *store.lock().unwrap() = Some(client(2));
    cache.take_out(id());
    for _ in 0..5 {
        clock.advance(Duration::from_secs(1));
        cache.drained(ClockReading::of(&clock));
    }
    run_all(std::slice::from_mut(&mut second), &asked);
    assert_eq!(revision(second.answer.take().unwrap()), Some(2));
}

#[test]
fn whoever_asks_after_a_change_does_not_join_a_load_from_before() {
    let (cache, clock) = (cache(), clock());
    let (store, asked) = (some(1), Asked::needing(2));
    let mut before = Task::new(cache.get(id(), &clock, || asked.load(&store)));
    assert!(before.run());
    *store.lock().unwrap() = Some(client(2));
    cache.take_out(id());
    let mut after = Task::new(cache.get(id(), &clock, || asked.load(&store)));
    // In whichever order they come to their ends, what was taken out does not come back.
    run_all(std::slice::from_mut(&mut after), &asked);
    run_all(std::slice::from_mut(&mut before), &asked);
    assert_eq!(revision(after.answer.take().unwrap()), Some(2));
    assert_eq!(revision(before.answer.take().unwrap()), Some(1), "asked before the change");
    assert_eq!(revision(block_on(cache.get(id(), &clock, || asked.load(&store)))), Some(2));
    assert_eq!(asked.loads(), 2, "the later one is kept");
}

#[test]
fn a_load_that_panics_takes_nobody_with_it() {
    let (cache, clock) = (cache(), clock());
    let (store, asked) = (some(1), Asked::needing(1));
    let panics = || {
        let mut polled = 0;
        std::future::poll_fn(move |_| {
            polled += 1;
            assert!(polled <= 2, "planted");
            Poll::Pending
        })
    };
    let mut first = Box::pin(cache.get(id(), &clock, panics));
    let mut second = Task::new(cache.get(id(), &clock, || asked.load(&store)));
    let mut context = Context::from_waker(Waker::noop());
    assert!(first.as_mut().poll(&mut context).is_pending());
    assert!(second.run());
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _ = first.as_mut().poll(&mut context);
    }));
    assert!(panicked.is_err());
    run_all(std::slice::from_mut(&mut second), &asked);
    assert_eq!(revision(second.answer.take().unwrap()), Some(1));
}

/// What other clients go through has nothing to do with one that nobody has.
#[test]
fn an_unknown_id_is_kept_whatever_happens_to_others_meanwhile() {
    let (cache, clock) = (cache(), clock());
    let (nothing, asked) = (Small::default(), Asked::needing(1));
    let mut first = Task::new(cache.get(id(), &clock, || asked.load(&nothing)));
    assert!(first.run());
    cache.take_out(RecordId::of_presented("mail-app").unwrap());
    run_all(std::slice::from_mut(&mut first), &asked);
    assert_eq!(revision(block_on(cache.get(id(), &clock, || asked.load(&nothing)))), None);
    assert_eq!(asked.loads(), 1);
}

#[test]
fn polls_vouch_for_an_entry_for_ten_minutes_at_most_and_not_for_all_of_them_equally_long() {
    let cache = Cache::new(Freshness::within(Duration::from_secs(5)), RELOAD_AFTER, 1000);
    let (clock, store, nothing, asked) = (clock(), some(1), Small::default(), Asked::default());
    let names: Vec<_> = (0..200).map(|number| format!("client-{number:03}")).collect();
    let mut loaded = Vec::new();
    for second in 0..=600 {
        if second % 4 == 0 {
            cache.drained(ClockReading::of(&clock));
        }
        for (number, name) in names.iter().enumerate() {
            // Every other one is a client ID that nobody has.
            let store = if number % 2 == 0 { &store } else { &nothing };
            let before = asked.loads();
            let record_id = RecordId::of_presented(name).unwrap();
            block_on(cache.get(record_id, &clock, || asked.load(store))).unwrap();
            if second > 0 && asked.loads() > before {
                loaded.push((name, second));
            }
        }
        clock.advance(Duration::from_secs(1));
    }
    let of: std::collections::BTreeSet<_> = loaded.iter().map(|(name, _)| name).collect();
    assert_eq!((of.len(), loaded.len()), (200, 200), "each is loaded again once");
    assert!(loaded.iter().all(|(_, second)| (450..=600).contains(second)), "{loaded:?}");
    let seconds: std::collections::BTreeSet<_> = loaded.iter().map(|(_, second)| second).collect();
    assert!(seconds.len() > 50, "not all at once: {seconds:?}");
}

/// Many threads, each of them driving whatever it shares with the others.
#[test]
fn threads_share_loads_and_nobody_is_left_waiting() {
    for _ in 0..50 {
        let (cache, clock) = (cache(), clock());
        let (store, asked) = (some(1), Asked::needing(5));
        let mut left_alone = Task::new(cache.get(id(), &clock, || asked.load(&store)));
        assert!(left_alone.run());
        let left = AtomicUsize::new(8);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    assert_eq!(revision(block_on(cache.get(id(), &clock, || asked.load(&store)))), Some(1));
                    left.fetch_sub(1, Ordering::SeqCst);
                });
            }
            while left.load(Ordering::SeqCst) > 0 {
                asked.step();
                std::thread::yield_now();
            }
        });
        assert_eq!(asked.loads(), 1);
    }
}

/// Who asks when a load is already too late begins another one, and those who wait for the first make no more.
#[test]
fn nobody_joins_a_load_that_would_be_too_late() {
    let (cache, clock) = (cache(), clock());
    let store = some(1);
    let (stuck, asked) = (Asked::needing(100), Asked::needing(1));
    let mut early: Vec<_> =
        (0..3).map(|_| Task::new(cache.get(id(), &clock, || stuck.load(&store)))).collect();
    run_woken(&mut early);
    clock.advance(Duration::from_secs(5));
    let mut late: Vec<_> =
        (0..3).map(|_| Task::new(cache.get(id(), &clock, || asked.load(&store)))).collect();
    run_all(&mut late, &asked);
    for task in &mut late {
        assert_eq!(revision(task.answer.take().unwrap()), Some(1));
    }
    assert_eq!((stuck.loads(), asked.loads()), (1, 1));
    // The first one lands when what is kept is stale as well.
    clock.advance(Duration::from_secs(5));
    for _ in 0..100 {
        stuck.step();
        run_woken(&mut early);
    }
    for task in &early {
        assert_eq!(kind(&task.answer), Some(StoreErrorKind::Unavailable));
    }
    assert_eq!(stuck.loads(), 1);
}
