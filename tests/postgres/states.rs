//! Servers that are gone, full up, slow, read-only, careless or replicas: a clear error each time, in bounded time, and
//! nothing written that was not acknowledged.

use std::time::{Duration, Instant};

use client_registry::store::{
    CommitError, PostgresOptions, PostgresStore, Store, StoreError, StoreErrorKind,
};
use client_registry::value::Revision;
use client_registry::{Error, Issued, Lifetime, NewSecret, Registry};
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};

use crate::proxy::{Fault, Proxy};
use crate::restore::cause;
use crate::support::server::{Schema, Server, client, run};
use crate::world::{Tap, World, eventually, keyring, register};

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_schema_is_made_once_and_a_newer_one_is_refused() {
    let schema = Schema::shared();
    let missing =
        PostgresStore::connect_with(&schema.url, schema.options().migrate(false)).await.unwrap_err();
    assert_eq!(missing.kind(), StoreErrorKind::Misconfigured);
    assert!(cause(&missing).contains("schema_sql"), "{}", cause(&missing));
    let mut opening = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (url, options) = (schema.url.clone(), schema.options().hints(false));
        opening.spawn(async move { PostgresStore::connect_with(&url, options).await.map(drop) });
    }
    while let Some(opened) = opening.join_next().await {
        opened.unwrap().unwrap();
    }
    assert_eq!(schema.run("SELECT version FROM client_registry.meta").await.len(), 1);
    let store = schema.store().await;
    // By hand, and again: nothing changes.
    let before = schema.run("SELECT * FROM client_registry.meta").await;
    run(&schema.url, &PostgresStore::schema_sql_with(&schema.options())).await;
    assert_eq!(schema.run("SELECT * FROM client_registry.meta").await, before);
    schema.run("UPDATE client_registry.meta SET version = version + 1").await;
    let newer = PostgresStore::connect_with(&schema.url, schema.options()).await.unwrap_err();
    assert_eq!(newer.kind(), StoreErrorKind::NewerFormat);
    // What is not there was not read: restoring a backup is not the first thing to do.
    run(&schema.url, &format!("DROP SCHEMA {} CASCADE", schema.name)).await;
    let missing = store.changes(None, 1).await.unwrap_err();
    assert_eq!(missing.kind(), StoreErrorKind::Misconfigured);
    assert!(cause(&missing).contains("is not there"), "{}", cause(&missing));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pool_of_ones_own_and_statements_without_names_do_the_same() {
    let schema = Schema::shared();
    let config: tokio_postgres::Config = schema.url.parse().unwrap();
    let manager = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let pool = Manager::from_config(config, tokio_postgres::NoTls, manager);
    let pool = Pool::builder(pool).max_size(2).build().unwrap();
    let store = PostgresStore::from_pool(pool, schema.options().behind_pooler()).await.unwrap();
    let world = World::over(schema, store).await;
    let issued: Issued = world.register("calendar app").await;
    let calendar = world.contoso.client(issued.client_id());
    let added = calendar.add_secret(NewSecret::lasting(Lifetime::OneYear)).await.unwrap();
    calendar.promote(added.secret_id()).await.unwrap();
    let _ = calendar.delete_in_emergency(issued.secret_id(), None).await.unwrap();
    world.authenticate(issued.client_id().as_str(), added.client_secret().expose()).await.unwrap();
    world.flush_last_uses().await.unwrap();
    assert!(calendar.snapshot().await.unwrap().last_used(added.secret_id()).is_some());
    assert_eq!(world.store().changes(None, 100).await.unwrap().events.len(), 6);
    // Nothing has a name on the server, and nothing is left in its sessions.
    let named = run(&world.schema.url, "SELECT count(*) FROM pg_prepared_statements").await;
    assert_eq!(named[0][0].as_deref(), Some("0"));
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

#[test]
fn outside_a_runtime_it_answers_and_does_not_panic() {
    let schema = Schema::shared();
    let outside = pollster::block_on(PostgresStore::connect_with(&schema.url, schema.options())).unwrap_err();
    assert!(cause(&outside).contains("tokio"), "{}", cause(&outside));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = runtime.block_on(schema.store());
    let outside = pollster::block_on(store.changes(None, 1)).unwrap_err();
    assert!(cause(&outside).contains("tokio"), "{}", cause(&outside));
    let absent = client_registry::ClientId::parse("nobody-at-all").unwrap();
    assert!(runtime.block_on(store.load((&absent).into())).unwrap().is_none());
}

#[tokio::test]
async fn no_error_and_no_debug_has_the_password() {
    let wrong = "postgres://somebody:opensesame@127.0.0.1:1/nowhere";
    let options = PostgresOptions::new().acquire_timeout(Duration::from_millis(300));
    let error = PostgresStore::connect_with(wrong, options.clone()).await.unwrap_err();
    let not_one = PostgresStore::connect_with("postgres://somebody:opensesame@:x:y/", options.clone())
        .await
        .unwrap_err();
    for text in [
        format!("{error:?} {}", cause(&error)),
        format!("{not_one:?} {}", cause(&not_one)),
        format!("{options:?}"),
    ] {
        assert!(!text.contains("opensesame"), "{text}");
    }
    for name in
        ["public", "pg_mine", "information_schema", "", "9lives", "Client", "a-b", "a b", &"x".repeat(49)]
    {
        assert!(PostgresOptions::new().schema(name).is_err(), "{name}");
    }
}

/// What trying again does not help is told apart, and what to do about it.
#[tokio::test]
async fn what_is_set_up_wrongly_says_so() {
    let server = Server::start();
    let (host, database) = (server.address(), "postgres");
    for (url, advice) in [
        (String::new(), "names no host"),
        ("postgres:///database".to_owned(), "names no host"),
        ("nonsense".to_owned(), "not the address"),
        (format!("postgres://postgres@{host}/{database}?sslmode=verify-full"), "sslmode is disable"),
        (format!("postgres://postgres@{host}/{database}?sslmode=require"), "connect_tls"),
        (format!("postgres://postgres@{host}/nowhere"), "\"nowhere\" does not exist"),
        (format!("postgres://nobody@{host}/{database}"), "\"nobody\" does not exist"),
    ] {
        let error = PostgresStore::connect(&url).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Misconfigured, "{url}: {}", cause(&error));
        assert!(cause(&error).contains(advice), "{url}: {}", cause(&error));
    }
    // A word of SQL is a name like any other.
    let options = PostgresOptions::new().schema("select").unwrap();
    let store = PostgresStore::connect_with(&server.url(), options).await.unwrap();
    assert!(store.changes(None, 1).await.unwrap().events.is_empty());
}

/// The rights that the operations page lists are enough, and no less would do for the trail to stay as it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_least_rights_are_enough() {
    let server = Server::start();
    let schema = Schema::at(server.url());
    let page = include_str!("../../src/store/postgres/operations.md");
    let grants = page.split("```sql\n").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(grants.matches("GRANT").count(), 7);
    run(&server.url(), &PostgresStore::schema_sql_with(&schema.options())).await;
    run(&server.url(), "CREATE ROLE registry LOGIN").await;
    let grants = grants.replace("SCHEMA client_registry", &format!("SCHEMA {}", schema.name));
    schema.run(&grants).await;

    let url = server.url_of("registry", "postgres");
    // Each of them is needed, and missed when the store is opened.
    for (right, table) in
        [("DELETE", "secrets"), ("SELECT", "history"), ("UPDATE", "feed_end"), ("INSERT", "feed")]
    {
        let table = format!("client_registry.{table}");
        schema.run(&format!("REVOKE {right} ON {table} FROM registry")).await;
        let refused = PostgresStore::connect_with(&url, schema.options()).await.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Misconfigured);
        let why = cause(&refused);
        assert!(why.contains(&format!("the role registry lacks {right} on")), "{why}");
        schema.run(&format!("GRANT {right} ON {table} TO registry")).await;
    }
    let store = PostgresStore::connect_with(&url, schema.options()).await.unwrap();
    let world = World::over(schema, store).await;
    let issued = world.register("calendar app").await;
    let calendar = world.contoso.client(issued.client_id());
    let added = calendar.add_secret(NewSecret::lasting(Lifetime::OneYear)).await.unwrap();
    calendar.promote(added.secret_id()).await.unwrap();
    world.authenticate(issued.client_id().as_str(), added.client_secret().expose()).await.unwrap();
    world.flush_last_uses().await.unwrap();
    let add_in = client_registry::AddIn::new("calendar", client_registry::Availability::Worldwide).unwrap();
    calendar.associate(&add_in).await.unwrap();
    let other = world.register("other").await;
    calendar.move_add_in(add_in.id(), other.client_id()).await.unwrap();
    let plan = calendar.plan_client_deletion().await.unwrap();
    calendar.confirm(plan).await.unwrap();
    assert_eq!(world.store().changes(None, 100).await.unwrap().events.len(), 12);

    let name = &world.schema.name;
    let as_node = client(&url).await.unwrap();
    for forbidden in [
        format!("DELETE FROM {name}.history"),
        format!("UPDATE {name}.history SET revision = 7"),
        format!("DELETE FROM {name}.records"),
        format!("UPDATE {name}.feed SET position = position + 1"),
        format!("UPDATE {name}.meta SET version = 2"),
        format!("DROP TABLE {name}.pending"),
        format!("CREATE TABLE {name}.more (n integer)"),
    ] {
        let error = as_node.batch_execute(&forbidden).await.unwrap_err();
        assert_eq!(
            error.code(),
            Some(&tokio_postgres::error::SqlState::INSUFFICIENT_PRIVILEGE),
            "{forbidden}"
        );
    }
    // A role without the right to make a schema says what is missing.
    let options = PostgresOptions::new().schema("not_there").unwrap();
    let refused = PostgresStore::connect_with(&url, options).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Misconfigured);
    assert!(cause(&refused).contains("permission denied"), "{}", cause(&refused));
    // In a schema that somebody else has made for it, it makes the tables.
    run(&server.url(), "CREATE SCHEMA made_for_it AUTHORIZATION registry").await;
    let options = PostgresOptions::new().schema("made_for_it").unwrap();
    drop(PostgresStore::connect_with(&url, options).await.unwrap());
    let _ = register(&world.contoso, "still there").await;
}
