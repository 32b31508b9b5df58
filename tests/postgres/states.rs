//! Servers that are gone, full up, slow, read-only, careless or replicas: a clear error each time, in bounded time, and
//! nothing written that was not acknowledged.

mod setup;

use std::time::{Duration, Instant};

use client_registry::store::{
    CommitError, PostgresOptions, PostgresStore, Store, StoreError, StoreErrorKind,
};
use client_registry::value::Revision;
use client_registry::{Error, Lifetime, NewSecret, Registry};
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};

use crate::proxy::{Fault, Proxy};
use crate::restore::cause;
use crate::support::server::{Schema, Server, client, run};
use crate::world::{Tap, World, eventually, keyring};

fn short(schema: &Schema) -> PostgresOptions {
    let options = schema.options().max_connections(1).hints(false);
    options.acquire_timeout(Duration::from_millis(400)).statement_timeout(Duration::from_millis(400))
}

/// How long it took.
#[expect(clippy::disallowed_methods, reason = "the bound on real time is what is tested")]
async fn timed<T>(future: impl Future<Output = T>) -> (T, Duration) {
    let started = Instant::now();
    (future.await, started.elapsed())
}

const BOUND: Duration = Duration::from_millis(4000);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_gone_and_comes_back() {
    let server = Server::start();
    let world = World::in_schema(Schema::at(server.url())).await;
    let issued = world.register("calendar app").await;
    let add = NewSecret::lasting(Lifetime::OneYear);
    let calendar = world.contoso.client(issued.client_id());
    for how in ["fast", "immediate"] {
        server.stop(how);
        let (answer, took) = timed(world.store().load(issued.client_id().into())).await;
        assert_eq!(answer.unwrap_err().kind(), StoreErrorKind::Unavailable);
        assert!(took < BOUND, "{took:?}");
        let (answer, took) = timed(world.store().store.commit(&world.store().last())).await;
        assert!(matches!(answer, Err(CommitError::NotWritten(_))), "{answer:?}");
        assert!(took < BOUND, "{took:?}");
        let (answer, took) = timed(PostgresStore::connect_with(&server.url(), world.schema.options())).await;
        assert_eq!(answer.unwrap_err().kind(), StoreErrorKind::Unavailable);
        assert!(took < BOUND, "{took:?}");
        server.up();
        // As if nothing had been.
        world.authenticate(issued.client_id().as_str(), issued.client_secret().expose()).await.unwrap();
        let _ = calendar.add_secret(add.clone()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_takes_too_long_is_rolled_back_and_says_so() {
    let schema = Schema::shared();
    let world = World::in_schema(schema).await;
    let issued = world.register("calendar app").await;
    // The lock alone would be waited for longer.
    let options = short(&world.schema).lock_timeout(Duration::from_secs(20));
    let store = PostgresStore::connect_with(&world.schema.url, options).await.unwrap();
    let registry = Registry::open(Tap::new(store), keyring()).await.unwrap();
    let lock = client(&world.schema.url).await.unwrap();
    let hold = format!("BEGIN; SELECT 1 FROM {}.records FOR UPDATE", world.schema.name);
    lock.batch_execute(&hold).await.unwrap();
    let calendar = registry.as_seller("contoso").unwrap().client(issued.client_id());
    let (answer, took) = timed(calendar.add_secret(NewSecret::lasting(Lifetime::OneYear))).await;
    match answer {
        Err(Error::Unavailable(error)) => {
            assert!(cause(&error).contains("statement timeout"), "{}", cause(&error))
        }
        other => panic!("{other:?}"),
    }
    assert!(took < BOUND, "{took:?}");
    lock.batch_execute("COMMIT").await.unwrap();
    let history = world.store().history(issued.client_id(), Revision::ZERO, 9).await.unwrap();
    assert_eq!(history.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_that_is_used_up_says_so_in_time() {
    let world = World::new().await;
    let issued = world.register("calendar app").await;
    let options = short(&world.schema).statement_timeout(Duration::from_secs(20));
    let options = options.lock_timeout(Duration::from_secs(20));
    let store = PostgresStore::connect_with(&world.schema.url, options).await.unwrap();
    let lock = client(&world.schema.url).await.unwrap();
    let name = &world.schema.name;
    lock.batch_execute(&format!("BEGIN; LOCK TABLE {name}.records")).await.unwrap();
    let (waiting, id) = (store.clone(), issued.client_id().clone());
    let waiting = tokio::spawn(async move { waiting.load((&id).into()).await });
    let blocked =
        format!("SELECT 1 FROM pg_locks WHERE NOT granted AND relation = '{name}.records'::regclass");
    eventually(async || (!run(&world.schema.url, &blocked).await.is_empty()).then_some(())).await;
    let (answer, took) = timed(store.last_uses(issued.client_id())).await;
    let error = answer.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(cause(&error).contains("no connection was free"), "{}", cause(&error));
    assert!(took < BOUND, "{took:?}");
    let commit = world.store().last();
    let refused = store.commit(&commit).await.unwrap_err();
    assert!(matches!(refused, CommitError::NotWritten(_)), "{refused:?}");
    lock.batch_execute("COMMIT").await.unwrap();
    assert!(waiting.await.unwrap().unwrap().is_some());
    assert!(store.last_uses(issued.client_id()).await.is_ok());
}

/// Nobody answers, nobody hangs up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_goes_silent() {
    let world = World::new().await;
    let issued = world.register("calendar app").await;
    let url: tokio_postgres::Config = world.schema.url.parse().unwrap();
    let tokio_postgres::config::Host::Tcp(host) = &url.get_hosts()[0] else { panic!("a host") };
    let server = tokio::net::lookup_host((host.as_str(), url.get_ports()[0])).await.unwrap().next().unwrap();
    let proxy = Proxy::before(server).await;
    let through =
        world.schema.url.replace(&format!("{host}:{}", url.get_ports()[0]), &proxy.address().to_string());
    let store = PostgresStore::connect_with(&through, short(&world.schema)).await.unwrap();
    assert!(store.load(issued.client_id().into()).await.unwrap().is_some());
    proxy.arm(Fault::Freeze);
    let (answer, took) = timed(store.load(issued.client_id().into())).await;
    let error = answer.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(cause(&error).contains("did not answer"), "{}", cause(&error));
    assert!(took < BOUND, "{took:?}");
    // The connection that is silent is not given out again.
    assert!(store.load(issued.client_id().into()).await.unwrap().is_some());
    // A commit whose answer stays away may have been made.
    proxy.arm(Fault::Freeze);
    let (answer, took) = timed(store.commit(&world.store().last())).await;
    assert!(matches!(answer, Err(CommitError::Failed(_))), "{answer:?}");
    assert!(took < BOUND, "{took:?}");
}

/// A server that became read-only, or careless, is noticed by sessions that begin after that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_becomes_read_only_or_careless_is_refused_at_once_and_noticed_later() {
    let server = Server::start();
    for (setting, words) in [
        ("default_transaction_read_only = on", "read-only"),
        ("synchronous_commit = off", "synchronous_commit"),
    ] {
        let world = World::in_schema(Schema::at(server.url())).await;
        let issued = world.register("calendar app").await;
        run(&server.url(), &format!("ALTER ROLE postgres SET {setting}")).await;
        let refused = PostgresStore::connect_with(&server.url(), world.schema.options()).await.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::ReadOnly);
        assert!(cause(&refused).contains(words), "{}", cause(&refused));
        let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'client-registry'";
        run(&server.url(), others).await;
        let calendar = world.contoso.client(issued.client_id());
        let error = loop {
            match calendar.add_secret(NewSecret::lasting(Lifetime::OneYear)).await {
                Err(Error::Unavailable(error)) if error.kind() != StoreErrorKind::Unavailable => break error,
                // The sessions that were ended.
                Err(Error::Unavailable(_)) => {}
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(error.kind(), StoreErrorKind::ReadOnly);
        assert!(cause(&error).contains(words), "{}", cause(&error));
        // What is there can be read.
        assert!(world.store().load(issued.client_id().into()).await.unwrap().is_some());
        let (name, _) = setting.split_once(' ').unwrap();
        let writable = format!("{}?options=-c%20default_transaction_read_only%3Doff", server.url());
        run(&writable, &format!("ALTER ROLE postgres RESET {name}")).await;
        run(&server.url(), others).await;
        eventually(async || {
            let again = NewSecret::lasting(Lifetime::OneYear);
            world.contoso.client(issued.client_id()).add_secret(again).await.ok().map(drop)
        })
        .await;
    }
}

/// The address leads to a replica all of a sudden: no answers from the past.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_question_is_answered_by_a_replica() {
    let server = Server::start();
    let world = World::in_schema(Schema::at(server.url())).await;
    let issued = world.register("calendar app").await;
    let proxy = Proxy::before(server.address()).await;
    let store = PostgresStore::connect_with(&proxy.url(), short(&world.schema)).await.unwrap();
    let cursor = store.changes(None, 9).await.unwrap().cursor;
    let replica = server.replica();
    proxy.lead_to(replica.address());
    let id = issued.client_id();
    let refused = |error: StoreError| {
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(cause(&error).contains("replica"), "{}", cause(&error));
    };
    let nobody = client_registry::ClientId::parse("nobody-at-all").unwrap();
    refused(store.load((&nobody).into()).await.unwrap_err());
    refused(store.load(id.into()).await.unwrap_err());
    refused(store.history(id, Revision::ZERO, 9).await.unwrap_err());
    refused(store.history(id, Revision::new(9), 9).await.unwrap_err());
    refused(store.clients(client_registry::store::ClientsBy::All, None, 9).await.unwrap_err());
    refused(store.changes(Some(&cursor), 9).await.unwrap_err());
    refused(store.ending(client_registry::Timestamp::MAX, None, 9).await.unwrap_err());
    refused(store.last_uses(id).await.unwrap_err());
    refused(store.client_of(&client_registry::AddInId::parse("calendar").unwrap()).await.unwrap_err());
    match store.commit(&world.store().last()).await {
        Err(CommitError::NotWritten(error)) => assert_eq!(error.kind(), StoreErrorKind::ReadOnly),
        other => panic!("{other:?}"),
    }
    proxy.lead_to(server.address());
    eventually(async || store.load(id.into()).await.ok()).await;
}

/// What was prepared before the tables changed is prepared again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_that_the_server_has_forgotten_are_prepared_again() {
    let world = World::new().await;
    let issued = world.register("calendar app").await;
    let options = world.schema.options().max_connections(1).hints(false);
    let config: tokio_postgres::Config = world.schema.url.parse().unwrap();
    let manager = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let pool = Manager::from_config(config, tokio_postgres::NoTls, manager);
    let pool = Pool::builder(pool).max_size(1).build().unwrap();
    let store = PostgresStore::from_pool(pool.clone(), options).await.unwrap();
    assert!(store.load(issued.client_id().into()).await.unwrap().is_some());
    pool.get().await.unwrap().batch_execute("DEALLOCATE ALL").await.unwrap();
    assert!(store.load(issued.client_id().into()).await.unwrap().is_some());
    assert!(matches!(store.commit(&world.store().last()).await, Err(CommitError::Conflict { .. })));
    pool.get().await.unwrap().batch_execute("DEALLOCATE ALL").await.unwrap();
    assert!(matches!(store.commit(&world.store().last()).await, Err(CommitError::Conflict { .. })));
}
