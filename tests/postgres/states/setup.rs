//! How the store is set up: schema, pool, rights and passwords, and what it says when one of them is wrong.

use std::time::Duration;

use client_registry::store::{PostgresOptions, PostgresStore, Store, StoreErrorKind};
use client_registry::{Issued, Lifetime, NewSecret};
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};

use crate::restore::cause;
use crate::support::server::{Schema, Server, client, run};
use crate::world::{World, register};

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
    let page = include_str!("../../../src/store/postgres/operations.md");
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
    // In a schema that an administrator has made for it, it makes the tables.
    run(&server.url(), "CREATE SCHEMA made_for_it AUTHORIZATION registry").await;
    let options = PostgresOptions::new().schema("made_for_it").unwrap();
    drop(PostgresStore::connect_with(&url, options).await.unwrap());
    let _ = register(&world.contoso, "still there").await;
}
