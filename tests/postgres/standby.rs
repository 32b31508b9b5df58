//! Synchronous standbys: what is acknowledged is on one of them, also when the wait for it is cancelled, when it goes away and
//! comes back, and when it takes over.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use client_registry::registry::{Resolution, Unresolved};
use client_registry::store::{CommitError, PostgresOptions, PostgresStore, Store, StoreErrorKind};
use client_registry::{Error, Issued, Lifetime, NewSecret, Registry, Seller};
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use tokio::task::JoinHandle;

use crate::restore::cause;
use crate::support::server::{Schema, Server, client, run};
use crate::world::{Tap, World, details, eventually, keyring, register};

/// The server is told to wait for a standby that is not there, while the store is open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_wait_for_a_standby_is_cancelled_is_not_acknowledged() {
    let server = Server::start();
    let world = world(&server).await;
    let first = world.register("calendar app").await;
    wait_for(&server, "nobody").await;
    // An administrator who ends the session, too.
    let terminator = Canceller::with(&server, "pg_terminate_backend");
    let terminated = refused(&world.contoso, "terminated").await;
    assert!(terminator.stop() > 0);
    let canceller = Canceller::of(&server);
    let unresolved = refused(&world.contoso, "cancelled").await;
    let why = cause(unresolved.cause());
    assert!(why.contains("synchronous standby"), "{why}");
    // The same for a change of what is there, and when it is sent again.
    let add = world.contoso.client(first.client_id()).add_secret(NewSecret::lasting(Lifetime::OneYear)).await;
    let Err(Error::Unresolved(addition)) = add else { panic!("{add:?}") };
    let Err(unresolved) = world.resolve(*unresolved).await else { panic!("settled without a standby") };
    assert!(canceller.stop() > 3);
    // What is there can be read all the while.
    world.authenticate(first.client_id().as_str(), first.client_secret().expose()).await.unwrap();
    // Nobody is waited for any longer, so there is nothing to prove.
    wait_for(&server, "").await;
    for unresolved in [unresolved, *addition, *terminated] {
        let Ok(Resolution::Made(Some(issued))) = world.resolve(unresolved).await else { panic!("not made") };
        world.authenticate(issued.client_id().as_str(), issued.client_secret().expose()).await.unwrap();
    }
    let checked = world.check().await.unwrap();
    assert!(checked.is_clean(), "{:?}", checked.discrepancies);
}

/// Cancelled, away, and the one that was away takes over: nothing that was acknowledged is missing there. A plain client of the
/// server, which does not look at its warnings, misses what it was told is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_missing_where_a_standby_takes_over() {
    let server = Server::start();
    let world = world(&server).await;
    run(&server.url(), "CREATE TABLE plain (name text)").await;
    let before = world.register("before").await;
    let standby = server.replica();
    wait_for(&server, "*").await;
    in_step(&server).await;
    let with = world.register("with a standby").await;
    standby.stop("fast");

    let canceller = Canceller::of(&server);
    let away = refused(&world.contoso, "standby away").await;
    let plain = client(&server.url()).await.unwrap();
    assert_eq!(plain.execute("INSERT INTO plain VALUES ('acknowledged')", &[]).await.unwrap(), 1);
    canceller.stop();
    // Nobody cancels, and nobody answers.
    let unanswered = refused(&world.contoso, "unanswered").await;
    server.kill();

    standby.up();
    standby.promote();
    assert_eq!(run(&standby.url(), "SELECT name FROM plain").await.len(), 0, "the control");
    let store = PostgresStore::connect_with(&standby.url(), options(&world.schema)).await.unwrap();
    let there = Registry::builder().clock(world.clock.clone()).open(store, keyring()).await.unwrap();
    for acknowledged in [&before, &with] {
        lets_in(&there, acknowledged).await;
    }
    // What was not acknowledged is settled there.
    for unresolved in [away, unanswered] {
        let Ok(Resolution::Made(Some(issued))) = there.resolve(*unresolved).await else { panic!("not made") };
        lets_in(&there, &issued).await;
    }
    let checked = there.check().await.unwrap();
    assert!(checked.is_clean(), "{:?}", checked.discrepancies);
    assert_eq!(checked.clients, 4);
}

/// The standby comes back: what was unknown is made, and only then; and it is there when the standby takes over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_unknown_is_acknowledged_when_the_standby_is_back() {
    let server = Server::start();
    let world = world(&server).await;
    let standby = server.replica();
    wait_for(&server, "*").await;
    in_step(&server).await;
    let first = world.register("first").await;
    standby.stop("fast");
    let canceller = Canceller::of(&server);
    let away = refused(&world.contoso, "standby away").await;
    let Err(away) = world.resolve(*away).await else { panic!("settled without a standby") };
    canceller.stop();
    standby.up();
    let Ok(Resolution::Made(Some(issued))) = world.resolve(away).await else { panic!("not made") };
    server.kill();
    standby.promote();
    let store = PostgresStore::connect_with(&standby.url(), options(&world.schema)).await.unwrap();
    let there = Registry::builder().clock(world.clock.clone()).open(store, keyring()).await.unwrap();
    lets_in(&there, &first).await;
    lets_in(&there, &issued).await;
}

/// Somebody who waits for nobody, although there are standbys.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_does_not_wait_for_the_standbys_is_refused() {
    let server = Server::start();
    let world = world(&server).await;
    let first = world.register("first").await;
    run(&server.url(), "ALTER ROLE postgres SET synchronous_commit = local").await;
    // Without standbys it is as good as any.
    let store = PostgresStore::connect_with(&server.url(), options(&world.schema)).await.unwrap();
    let registry = Registry::open(store, keyring()).await.unwrap();
    let contoso = registry.as_seller("contoso").unwrap();
    let _ = register(&contoso, "second").await;
    wait_for(&server, "nobody").await;
    let refused = contoso.register(details("third"), Lifetime::OneYear).await;
    match refused {
        Err(Error::Unavailable(error)) => {
            assert_eq!(error.kind(), StoreErrorKind::ReadOnly);
            assert!(cause(&error).contains("synchronous_commit"), "{}", cause(&error));
        }
        other => panic!("{other:?}"),
    }
    let refused = PostgresStore::connect_with(&server.url(), options(&world.schema)).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::ReadOnly);
    lets_in(&registry, &first).await;
}

/// Through a pool of one's own the server's warnings are not seen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_of_ones_own_is_refused_where_standbys_are_waited_for() {
    let server = Server::start();
    let schema = Schema::at(server.url());
    let pool = || {
        let manager = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(server.url().parse().unwrap(), tokio_postgres::NoTls, manager);
        Pool::builder(manager).max_size(2).build().unwrap()
    };
    let store = PostgresStore::from_pool(pool(), options(&schema)).await.unwrap();
    let registry = Registry::open(Tap::new(store.clone()), keyring()).await.unwrap();
    let contoso = registry.as_seller("contoso").unwrap();
    let first = register(&contoso, "first").await;
    wait_for(&server, "nobody").await;
    // Noticed later: what is there stays unknown, and nothing is written.
    match store.commit(&registry.store().last()).await {
        Err(CommitError::Failed(error)) => assert_eq!(error.kind(), StoreErrorKind::ReadOnly),
        other => panic!("{other:?}"),
    }
    let refused = contoso.register(details("second"), Lifetime::OneYear).await;
    match refused {
        Err(Error::Unavailable(error)) => {
            assert_eq!(error.kind(), StoreErrorKind::ReadOnly);
            assert!(cause(&error).contains("synchronous_standby_names"), "{}", cause(&error));
        }
        other => panic!("{other:?}"),
    }
    lets_in(&registry, &first).await;
    // And at once.
    let refused = PostgresStore::from_pool(pool(), options(&schema)).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::ReadOnly);
    assert!(cause(&refused).contains("synchronous_standby_names"), "{}", cause(&refused));
}

async fn world(server: &Server) -> World {
    let schema = Schema::at(server.url());
    let store = PostgresStore::connect_with(&schema.url, options(&schema)).await.unwrap();
    World::over(schema, store).await
}

fn options(schema: &Schema) -> PostgresOptions {
    schema.options().hints(false).statement_timeout(Duration::from_secs(2))
}

/// Makes the server wait for these standbys, and waits until it does.
async fn wait_for(server: &Server, standbys: &str) {
    let url = server.url();
    run(&url, &format!("ALTER SYSTEM SET synchronous_standby_names = '{standbys}'")).await;
    run(&url, "SELECT pg_reload_conf()").await;
    let shown = format!("SELECT current_setting('synchronous_standby_names') = '{standbys}'");
    eventually(async || (run(&url, &shown).await[0][0].as_deref() == Some("t")).then_some(())).await;
    if standbys == "nobody" {
        // The process that lets others wait reads the setting when it wakes.
        run(&url, "SET synchronous_commit = local; CREATE TABLE waits (n integer)").await;
        eventually(async || {
            let writer = client(&url).await.unwrap();
            let write = "SET synchronous_commit = on; INSERT INTO waits VALUES (1)";
            let writing = tokio::spawn(async move { writer.batch_execute(write).await });
            let waits =
                async || (!run(&url, WAITING).await.is_empty() || writing.is_finished()).then_some(());
            eventually(waits).await;
            (!writing.is_finished()).then_some(())
        })
        .await;
        run(&url, &format!("SELECT pg_cancel_backend(pid::integer) FROM ({WAITING}) w")).await;
    }
}

/// Waits until the standby keeps up, so that the server counts on it.
async fn in_step(server: &Server) {
    let is_there = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync' AND state = 'streaming'";
    eventually(async || (!run(&server.url(), is_there).await.is_empty()).then_some(())).await;
}

async fn refused<S: Store>(contoso: &Seller<S>, name: &str) -> Box<Unresolved> {
    let answer = contoso.register(details(name), Lifetime::OneYear).await;
    match answer {
        Err(Error::Unresolved(unresolved)) => unresolved,
        other => panic!("{other:?}"),
    }
}

async fn lets_in<S: Store>(registry: &Registry<S>, issued: &Issued) {
    registry.authenticate(issued.client_id().as_str(), issued.client_secret().expose()).await.unwrap();
}

/// Cancels every wait for a standby, again and again.
struct Canceller {
    cancelling: JoinHandle<()>,
    count: std::sync::Arc<AtomicUsize>,
}

impl Canceller {
    fn of(server: &Server) -> Self {
        Self::with(server, "pg_cancel_backend")
    }

    fn with(server: &Server, how: &'static str) -> Self {
        let (url, count) = (server.url(), std::sync::Arc::new(AtomicUsize::new(0)));
        let counted = std::sync::Arc::clone(&count);
        let cancelling = tokio::spawn(async move {
            let client = client(&url).await.unwrap();
            loop {
                let cancel = format!("SELECT {how}(pid::integer) FROM ({WAITING}) w");
                counted.fetch_add(client.query(&cancel, &[]).await.unwrap().len(), Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        Self { cancelling, count }
    }

    /// Says how many waits it has cancelled.
    fn stop(self) -> usize {
        self.cancelling.abort();
        self.count.load(Ordering::SeqCst)
    }
}

const WAITING: &str = "SELECT pid::text FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
