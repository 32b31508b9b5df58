//! Many at once: what belongs to one client alone goes to one, each revision is made once, and nobody waits for ever.

use std::sync::Arc;

use client_registry::store::{CommitError, PostgresStore, Store};
use client_registry::value::Revision;
use client_registry::{
    AddIn, Availability, ClientId, Days, Error, Lifetime, NewSecret, Registry, Rotation, Timestamp,
};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::support::server::{Schema, client, run};
use crate::world::{World, details, eventually, keyring, register};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_goes_to_one_of_many_who_want_it_at_once() {
    let world = World::new().await;
    for round in 0..20 {
        let barrier = Arc::new(Barrier::new(6));
        let mut racing = JoinSet::new();
        for _ in 0..6 {
            let (contoso, barrier) = (world.registry.as_seller("contoso").unwrap(), Arc::clone(&barrier));
            racing.spawn(async move {
                barrier.wait().await;
                contoso.register(details(&format!("app {round}")), Lifetime::OneYear).await
            });
        }
        let (mut won, mut lost) = (Vec::new(), Vec::new());
        while let Some(outcome) = racing.join_next().await {
            match outcome.unwrap() {
                Ok(issued) => won.push(issued.client_id().clone()),
                Err(Error::NameTaken { by, .. }) => lost.push(by),
                Err(error) => panic!("{error:?}"),
            }
        }
        assert_eq!((won.len(), lost.len()), (1, 5));
        assert!(lost.iter().all(|by| *by == won[0]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_add_in_goes_to_one_of_many_and_moves_about_without_ever_being_nowhere() {
    let world = World::new().await;
    let mut ids: Vec<ClientId> = Vec::new();
    for number in 0..4 {
        ids.push(world.register(&format!("app {number}")).await.client_id().clone());
    }
    let add_in = AddIn::new("calendar", Availability::Worldwide).unwrap();
    let mut racing = JoinSet::new();
    for id in &ids {
        let (client, add_in) = (world.contoso.client(id), add_in.clone());
        racing.spawn(async move { client.associate(&add_in).await.is_ok() });
    }
    let won = racing.join_all().await.into_iter().filter(|won| *won).count();
    assert_eq!(won, 1);

    // All tasks write, one watches.
    let store = world.store().store.clone();
    let mut pulling = JoinSet::new();
    for (number, to) in ids.iter().enumerate() {
        let (registry, ids, to, add_in) = (world.registry.clone(), ids.clone(), to.clone(), add_in.clone());
        pulling.spawn(async move {
            let contoso = registry.as_seller("contoso").unwrap();
            for step in 0..15 {
                let from = &ids[(number + step) % ids.len()];
                let _ = contoso.client(from).move_add_in(add_in.id(), &to).await;
            }
        });
    }
    while !pulling.is_empty() {
        assert!(store.client_of(add_in.id()).await.unwrap().is_some(), "it has a client ID at any instant");
        if let Some(done) = pulling.try_join_next() {
            done.unwrap();
        }
    }
    let rows = world.schema.run("SELECT client_id FROM client_registry.entries WHERE scope = ''").await;
    assert_eq!(rows.len(), 1);
    // The records say the same as the row.
    let owner = store.client_of(add_in.id()).await.unwrap().unwrap();
    for id in &ids {
        let has = world.contoso.client(id).snapshot().await.unwrap().client().add_ins().contains(add_in.id());
        assert_eq!(has, *id == owner);
    }
}

/// At every isolation level that an administrator may have made the default, and that the store cannot set for its sessions.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_revision_is_made_once_whatever_the_isolation_level() {
    let server = crate::support::server::Server::start();
    for level in ["read committed", "repeatable read", "serializable"] {
        run(&server.url(), &format!("ALTER ROLE postgres SET default_transaction_isolation = '{level}'"))
            .await;
        let schema = Schema::at(server.url());
        let store = schema.store_with(schema.options().behind_pooler()).await;
        let registry = Registry::open(store, keyring()).await.unwrap();
        let contoso = registry.as_seller("contoso").unwrap();
        let issued = register(&contoso, "calendar app").await;
        let mut changing = JoinSet::new();
        for number in 0..8 {
            let (registry, id) = (registry.clone(), issued.client_id().clone());
            changing.spawn(async move {
                let client = registry.as_seller("contoso").unwrap().client(&id);
                let mut made = 0;
                while made < 5 {
                    match client.change_details(details(&format!("app {number} {made}"))).await {
                        Ok(_) => made += 1,
                        Err(Error::Contention { .. } | Error::Unavailable(_)) => {}
                        Err(error) => panic!("{level}: {error:?}"),
                    }
                    registry.store().changes(None, 5).await.unwrap();
                }
            });
        }
        while let Some(done) = changing.join_next().await {
            done.unwrap();
        }
        let history = registry.store().history(issued.client_id(), Revision::ZERO, 100).await.unwrap();
        let revisions: Vec<_> = history.iter().map(|made| made.revision.number()).collect();
        assert_eq!(revisions, (1..=41).collect::<Vec<_>>(), "{level}");
        assert_eq!(registry.store().changes(None, 100).await.unwrap().events.len(), 42, "{level}");
    }
}

/// Somebody locks the same two records the other way round. The server lets the commit lose, which is then tried again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_loses_a_deadlock_is_tried_again() {
    let world = World::new().await;
    let mut ids =
        [world.register("one").await, world.register("other").await].map(|issued| issued.into_parts().0);
    // In the order in which a commit locks them.
    ids.sort();
    let [first, second] = &ids;
    let add_in = AddIn::new("calendar", Availability::Worldwide).unwrap();
    world.contoso.client(first).associate(&add_in).await.unwrap();
    let lock = |id| format!("SELECT FROM {}.records WHERE id = '{id}' FOR UPDATE", world.schema.name);
    let other = client(&world.schema.url).await.unwrap();
    // It never looks for a deadlock itself, so that it is the commit that finds one and gives way.
    other.batch_execute(&format!("SET deadlock_timeout = '1h'; BEGIN; {}", lock(second))).await.unwrap();
    let deadlocks = async || {
        let count = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
        run(&world.schema.url, count).await[0][0].as_ref().unwrap().parse::<u64>().unwrap()
    };
    let before = deadlocks().await;
    let (contoso, from, to, id) =
        (world.registry.as_seller("contoso").unwrap(), first.clone(), second.clone(), add_in.id().clone());
    let moving = tokio::spawn(async move { contoso.client(&from).move_add_in(&id, &to).await });
    let waits = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%{}%'",
        world.schema.name
    );
    eventually(async || (run(&world.schema.url, &waits).await[0][0].as_deref() == Some("1")).then_some(()))
        .await;
    // Comes when the commit has given way.
    other.batch_execute(&format!("{}; ROLLBACK", lock(first))).await.unwrap();
    moving.await.unwrap().unwrap();
    assert_eq!(world.store().client_of(add_in.id()).await.unwrap().as_ref(), Some(second));
    eventually(async || (deadlocks().await > before).then_some(())).await;
    let history = world.store().history(second, Revision::ZERO, 9).await.unwrap();
    assert_eq!(history.len(), 2, "made once");
}

/// Where the store sets it for its sessions, what others have made the default costs nobody anything: eight change clients of
/// their own and three read the feed, and no call fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serializable_as_the_default_makes_no_call_fail() {
    let server = crate::support::server::Server::start();
    run(&server.url(), "ALTER ROLE postgres SET default_transaction_isolation = 'serializable'").await;
    let schema = Schema::at(server.url());
    let registry = Registry::open(schema.store().await, keyring()).await.unwrap();
    let mut busy = JoinSet::new();
    for number in 0..8 {
        let contoso = registry.as_seller("contoso").unwrap();
        busy.spawn(async move {
            let issued = register(&contoso, &format!("app {number}")).await;
            let client = contoso.client(issued.client_id());
            for step in 0..20 {
                client.change_details(details(&format!("app {number} {step}"))).await.unwrap();
            }
        });
    }
    for _ in 0..3 {
        let store = schema.store().await;
        busy.spawn(async move {
            for _ in 0..40 {
                store.changes(None, 50).await.unwrap();
                store.latest().await.unwrap();
            }
        });
    }
    while let Some(done) = busy.join_next().await {
        done.unwrap();
    }
}

/// Of the same commit sent by many at once one is made.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_is_sent_by_many_is_made_by_one() {
    let from = World::new().await;
    let issued = from.register("calendar app").await;
    let calendar = from.contoso.client(issued.client_id());
    let rotated = calendar.rotate(Rotation::overlap(Days::new(3))).await.unwrap();
    let _ = calendar.delete_in_emergency(rotated.secret_id(), None).await.unwrap();
    let sent: Vec<_> =
        from.store().sent().into_iter().filter(|c| !c.changes()[0].id().is_reserved()).collect();
    assert_eq!(sent.len(), 3);
    let schema = Schema::shared();
    let store = schema.store().await;
    for commit in &sent {
        let mut sending = JoinSet::new();
        for _ in 0..6 {
            let (store, commit): (PostgresStore, _) = (store.clone(), commit.clone());
            sending.spawn(async move { store.commit(&commit).await });
        }
        let mut made = 0;
        for outcome in sending.join_all().await {
            match outcome {
                Ok(()) => made += 1,
                Err(CommitError::Conflict { found, .. }) => {
                    assert_eq!(found, Some(commit.changes()[0].record().revision()));
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(made, 1);
    }
    assert_eq!(store.history(issued.client_id(), Revision::ZERO, 9).await.unwrap().len(), 3);
}

/// A guess of what is different that was wrong, since the rows are not as they should be: all of them are looked at, and are as
/// they should be afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_are_not_as_they_were_left_are_put_right_by_the_next_commit() {
    let world = World::new().await;
    let issued = world.register("calendar app").await;
    let calendar = world.contoso.client(issued.client_id());
    let second = calendar.add_secret(NewSecret::lasting(Lifetime::OneYear)).await.unwrap();
    let state = "SELECT (SELECT count(*) FROM client_registry.entries), (SELECT count(*) FROM client_registry.secrets), \
                 (SELECT ends::text || places::text FROM client_registry.records WHERE id NOT LIKE '~%')";
    let before = world.schema.run(state).await;
    for damage in [
        "DELETE FROM client_registry.secrets; UPDATE client_registry.records SET ends = '{}'",
        "DELETE FROM client_registry.entries; UPDATE client_registry.records SET places = ''",
    ] {
        world.schema.run(damage).await;
        let secrets = calendar.snapshot().await.unwrap();
        let signs = secrets.signing().secret();
        let next = if signs == Some(second.secret_id()) { issued.secret_id() } else { second.secret_id() };
        calendar.promote(next).await.unwrap();
        assert_eq!(world.schema.run(state).await, before, "{damage}");
    }
    assert_eq!(world.store().ending(Timestamp::MAX, None, 9).await.unwrap().len(), 2);
}
