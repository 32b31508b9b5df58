//! No call waits for what another one holds: rows, connections, passwords that are no longer true, notifications without
//! end, runtimes that are gone.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use client_registry::store::{PostgresOptions, PostgresStore, Store, StoreErrorKind};
use client_registry::value::Revision;
use client_registry::{Error, Lifetime, NewSecret, Registry};
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use tokio::task::JoinSet;

use crate::restore::cause;
use crate::support::server::{Schema, Server, client, run};
use crate::world::{Tap, World, eventually, keyring, register};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_whose_row_is_held_keeps_no_other_client_waiting() {
    let world = World::new().await;
    let (held, free) = (world.register("held").await, world.register("free").await);
    let options = world.schema.options().hints(false).max_connections(3);
    let options = options.acquire_timeout(Duration::from_secs(4)).lock_timeout(Duration::from_secs(2));
    let store = PostgresStore::connect_with(&world.schema.url, options).await.unwrap();
    let registry = Registry::open(Tap::new(store), keyring()).await.unwrap();
    let contoso = registry.as_seller("contoso").unwrap();
    let lock = client(&world.schema.url).await.unwrap();
    let name = &world.schema.name;
    let hold = format!("BEGIN; SELECT 1 FROM {name}.records WHERE id = '{}' FOR UPDATE", held.client_id());
    lock.batch_execute(&hold).await.unwrap();
    let mut adding = JoinSet::new();
    for _ in 0..20 {
        let held = contoso.client(held.client_id());
        adding.spawn(async move { held.add_secret(NewSecret::lasting(Lifetime::OneYear)).await });
    }
    let waiting = format!(
        "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%{name}\".records r%'"
    );
    eventually(async || (!run(&world.schema.url, &waiting).await.is_empty()).then_some(())).await;
    for _ in 0..4 {
        let (answer, took) = timed(contoso.client(free.client_id()).promote(free.secret_id())).await;
        answer.unwrap();
        assert!(took < Duration::from_secs(1), "{took:?}");
        registry.authenticate(held.client_id().as_str(), held.client_secret().expose()).await.unwrap();
        let others = contoso.client(free.client_id());
        let (added, took) = timed(others.add_secret(NewSecret::lasting(Lifetime::OneYear))).await;
        let _ = others.delete_in_emergency(added.unwrap().secret_id(), None).await.unwrap();
        assert!(took < Duration::from_secs(1), "{took:?}");
        assert!(run(&world.schema.url, &waiting).await.len() <= 1, "one connection waits");
    }
    // A call that waits too long gets the reason, and nothing of it was written.
    let mut refusals = 0;
    while let Some(added) = adding.join_next().await {
        match added.unwrap() {
            Err(Error::Unavailable(error)) => {
                let why = cause(&error);
                assert!(
                    why.contains("another transaction held a row") || why.contains("other changes"),
                    "{why}"
                );
                refusals += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(refusals, 20);
    lock.batch_execute("COMMIT").await.unwrap();
    let history = world.store().history(held.client_id(), Revision::ZERO, 99).await.unwrap();
    assert_eq!(history.len(), 1);
    contoso
        .client(held.client_id())
        .add_secret(NewSecret::lasting(Lifetime::OneYear))
        .await
        .map(drop)
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_whose_row_is_held_keeps_no_other_last_use_from_being_written() {
    let world = World::new().await;
    let mut all = Vec::new();
    for number in 0..20 {
        all.push(world.register(&format!("app {number}")).await);
    }
    for issued in &all {
        world.authenticate(issued.client_id().as_str(), issued.client_secret().expose()).await.unwrap();
    }
    let (held, name) = (&all[10], &world.schema.name);
    let lock = client(&world.schema.url).await.unwrap();
    let hold =
        format!("BEGIN; SELECT 1 FROM {name}.secrets WHERE client_id = '{}' FOR UPDATE", held.client_id());
    lock.batch_execute(&hold).await.unwrap();
    let error = world.flush_last_uses().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(cause(&error).contains("another transaction held a row"), "{}", cause(&error));
    let store = world.store();
    for issued in &all {
        let is_written = store.last_uses(issued.client_id()).await.unwrap().of(issued.secret_id()).is_some();
        assert_eq!(is_written, issued.client_id() != held.client_id());
    }
    lock.batch_execute("COMMIT").await.unwrap();
    world.flush_last_uses().await.unwrap();
    assert!(store.last_uses(held.client_id()).await.unwrap().of(held.secret_id()).is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_role_has_fewer_connections_than_the_pool_calls_wait_for_those() {
    let server = Server::start();
    run(&server.url(), "CREATE ROLE few LOGIN CONNECTION LIMIT 3; GRANT CREATE ON DATABASE postgres TO few")
        .await;
    let schema = Schema::at(server.url_of("few", "postgres"));
    let options = schema.options().hints(false).max_connections(10).acquire_timeout(Duration::from_secs(20));
    let store = PostgresStore::connect_with(&schema.url, options.clone()).await.unwrap();
    let ask = async |store: &PostgresStore| {
        let mut asking = JoinSet::new();
        for _ in 0..200 {
            let store = store.clone();
            asking.spawn(async move { store.changes(None, 1).await.map(drop) });
        }
        while let Some(asked) = asking.join_next().await {
            asked.unwrap().unwrap();
        }
    };
    ask(&store).await;
    // Another node of the same role finds none, and says so in time.
    let other = options.clone().acquire_timeout(Duration::from_secs(2));
    let (refused, took) = timed(PostgresStore::connect_with(&schema.url, other.clone())).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
    assert!(cause(&refused).contains("none to spare"), "{}", cause(&refused));
    assert!(took >= Duration::from_millis(1_900) && took < Duration::from_secs(8), "{took:?}");
    // When the limit is lifted, there are more of them again.
    drop(store);
    let manager = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_config(schema.url.parse().unwrap(), tokio_postgres::NoTls, manager);
    let pool = Pool::builder(manager).max_size(10).build().unwrap();
    let opened = async || PostgresStore::from_pool(pool.clone(), options.clone()).await.ok();
    let pooled = eventually(opened).await;
    ask(&pooled).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_dropped_after_it_was_refused_a_connection_holds_up_no_other() {
    let server = Server::start();
    run(&server.url(), "CREATE ROLE few LOGIN CONNECTION LIMIT 1; GRANT CREATE ON DATABASE postgres TO few")
        .await;
    let schema = Schema::at(server.url_of("few", "postgres"));
    let options = schema.options().hints(false).max_connections(1).acquire_timeout(Duration::from_secs(20));
    let store = PostgresStore::connect_with(&schema.url, options).await.unwrap();
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'few'";
    run(&server.url(), end).await;
    let other = eventually(async || client(&schema.url).await).await;
    // The second one begins to wait while the first one is connecting.
    let mut first = Box::pin(store.changes(None, 1));
    tokio::time::timeout(Duration::ZERO, &mut first).await.unwrap_err();
    let second = store.clone();
    let second = tokio::spawn(async move { second.changes(None, 1).await.map(drop) });
    tokio::time::sleep(Duration::from_millis(50)).await;
    tokio::time::timeout(Duration::from_millis(200), &mut first).await.unwrap_err();
    drop((first, other));
    let (answer, took) = timed(second).await;
    answer.unwrap().unwrap();
    assert!(took < Duration::from_secs(4), "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_that_is_changed_is_taken_up_without_a_restart() {
    let server = Server::start();
    run(
        &server.url(),
        "CREATE ROLE registry LOGIN PASSWORD 'opensesame'; GRANT CREATE ON DATABASE postgres TO registry",
    )
    .await;
    let rules = server.file("data/pg_hba.conf");
    let others = std::fs::read_to_string(&rules).unwrap();
    std::fs::write(&rules, format!("host all registry 127.0.0.1/32 scram-sha-256\n{others}")).unwrap();
    run(&server.url(), "SELECT pg_reload_conf()").await;
    let known = Arc::new(Mutex::new(Some("opensesame".to_owned())));
    let asked = Arc::clone(&known);
    let schema = Schema::at(server.url_of("registry", "postgres"));
    let options = schema.options().password_from(move || {
        let password = asked.lock().unwrap().clone();
        async move { password.ok_or_else(|| "the safe is closed".into()) }
    });
    assert!(!format!("{options:?}").contains("opensesame"));
    let store = PostgresStore::connect_with(&schema.url, options).await.unwrap();
    let hints = store.hints();
    let registry = Registry::open(store, keyring()).await.unwrap();
    let contoso = registry.as_seller("contoso").unwrap();
    let _ = register(&contoso, "first").await;
    assert!(hints.wait(Duration::from_secs(30)).await);

    run(&server.url(), "ALTER ROLE registry PASSWORD 'two'").await;
    let all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'registry'";
    let gone = async || {
        run(&server.url(), all).await;
        let left = run(&server.url(), "SELECT 1 FROM pg_stat_activity WHERE usename = 'registry'").await;
        left.is_empty().then_some(())
    };
    eventually(gone).await;
    let refused = eventually(async || registry.store().changes(None, 1).await.err()).await;
    assert_eq!(refused.kind(), StoreErrorKind::Misconfigured);
    *known.lock().unwrap() = None;
    let refused = registry.store().changes(None, 1).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
    assert!(cause(&refused).contains("the safe is closed"), "{}", cause(&refused));
    *known.lock().unwrap() = Some("two".to_owned());
    let _ = register(&contoso, "second").await;
}

/// Somebody who may connect, and nothing else, notifies without end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notifications_without_end_make_nobody_poll_without_end() {
    let world = World::new().await;
    let stranger = format!("stranger_{}", std::process::id());
    run(&world.schema.url, &format!("CREATE ROLE {stranger} LOGIN")).await;
    let there = world.schema.store().await;
    let hints = there.hints();
    eventually(async || {
        let _ = world.store().store.commit(&world.store().last()).await;
        let _ = world.register(&format!("app {}", unique())).await;
        hints.wait(Duration::from_millis(100)).await.then_some(())
    })
    .await;
    while hints.wait(Duration::from_millis(300)).await {}
    // The first one comes at once.
    let heard = async { timed(hints.wait(Duration::from_secs(30))).await };
    let (heard, _) = tokio::join!(heard, world.register("at once"));
    assert!(heard.0 && heard.1 < Duration::from_secs(5), "{heard:?}");

    let as_stranger = client(&world.schema.url).await.unwrap();
    as_stranger.batch_execute(&format!("SET SESSION AUTHORIZATION {stranger}")).await.unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let over = Arc::clone(&is_over);
    let channel = format!("{}_changed", world.schema.name);
    let notify: String = (0..100).map(|number| format!("NOTIFY {channel}, '{number}';")).collect();
    let notifying = tokio::spawn(async move {
        let mut count = 0;
        while !over.load(Ordering::SeqCst) {
            as_stranger.batch_execute(&notify).await.unwrap();
            count += 100;
        }
        count
    });
    let mut polls = 0;
    let until = tokio::time::Instant::now() + Duration::from_secs(1);
    while tokio::time::timeout_at(until, hints.wait(Duration::from_secs(9))).await.is_ok() {
        polls += 1;
    }
    is_over.store(true, Ordering::SeqCst);
    let notifications = notifying.await.unwrap();
    assert!(notifications > 100, "the server took {notifications}");
    assert!((1..=21).contains(&polls), "{polls} polls for {notifications} notifications");
    run(&world.schema.url, &format!("DROP ROLE {stranger}")).await;
}

/// As with two tests that share a store, each with a runtime of its own.
#[test]
fn hints_go_on_when_the_runtime_that_they_began_on_has_ended() {
    let schema = Schema::shared();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let first = runtime();
    let (store, hints) = first.block_on(async {
        let store = schema.store().await;
        let hints = store.hints();
        hears_of_others(&schema, &hints).await;
        (store, hints)
    });
    drop(first);
    let second = runtime();
    second.block_on(hears_of_others(&schema, &hints));
    second.block_on(hears_of_others(&schema, &store.hints()));
}

async fn hears_of_others(schema: &Schema, hints: &client_registry::store::ChangeHints) {
    let there = Registry::open(schema.store_with(schema.options()).await, keyring()).await.unwrap();
    let contoso = there.as_seller("contoso").unwrap();
    let began = async || {
        let _ = register(&contoso, &format!("app {}", unique())).await;
        hints.wait(Duration::from_millis(200)).await.then_some(())
    };
    eventually(began).await;
    // More than what it says of itself when it begins to listen.
    while hints.wait(Duration::from_millis(300)).await {}
    let _ = register(&contoso, &format!("app {}", unique())).await;
    assert!(hints.wait(Duration::from_secs(30)).await);
}

/// Every number that the store is given, at its ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_at_their_extremes_neither_panic_nor_abort() {
    let schema = Schema::shared();
    let most = PostgresOptions::new()
        .schema(&schema.name)
        .unwrap()
        .max_connections(usize::MAX)
        .acquire_timeout(Duration::MAX)
        .statement_timeout(Duration::MAX)
        .lock_timeout(Duration::MAX);
    for most in [most.clone(), most.clone().max_connections(u32::MAX as usize), most.behind_pooler()] {
        let store = PostgresStore::connect_with(&schema.url, most).await.unwrap();
        let registry = Registry::open(store.clone(), keyring()).await.unwrap();
        let issued = register(&registry.as_seller("contoso").unwrap(), &format!("app {}", unique())).await;
        let id = issued.client_id();
        assert!(!store.changes(None, usize::MAX).await.unwrap().events.is_empty());
        assert_eq!(store.history(id, Revision::ZERO, usize::MAX).await.unwrap().len(), 1);
        assert!(store.history(id, Revision::new(u64::MAX), usize::MAX).await.unwrap().is_empty());
        let never = tokio::time::timeout(Duration::from_millis(200), async {
            let hints = store.hints();
            while hints.wait(Duration::MAX).await {}
        });
        assert!(never.await.is_err());
    }
    let least = PostgresOptions::new()
        .schema(&schema.name)
        .unwrap()
        .max_connections(0)
        .acquire_timeout(Duration::ZERO)
        .statement_timeout(Duration::ZERO)
        .lock_timeout(Duration::ZERO);
    // A millisecond may do or not.
    match PostgresStore::connect_with(&schema.url, least).await {
        Ok(store) => assert!(!store.hints().wait(Duration::ZERO).await),
        Err(error) => assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{}", cause(&error)),
    }
}

#[expect(clippy::disallowed_methods, reason = "the bound on real time is what is tested")]
async fn timed<T>(future: impl Future<Output = T>) -> (T, Duration) {
    let started = Instant::now();
    (future.await, started.elapsed())
}

fn unique() -> u32 {
    static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    COUNT.fetch_add(1, Ordering::Relaxed)
}
