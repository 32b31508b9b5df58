//! The connection breaks at every stage of a commit: before it was sent, in the middle, after it was sent and before its
//! answer, in the middle of the answer; or what was sent arrives late, when the registry has long begun to settle it.
//!
//! Each time: no change is lost, none is made twice, and a caller that asked for a secret has it in hand or in the error.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use client_registry::event::{EventHash, check_trail};
use client_registry::registry::{Resolution, Unresolved};
use client_registry::store::{Commit, CommitError, PostgresStore, Store};
use client_registry::value::Revision;
use client_registry::{
    ClientHandle, ClientId, ClientSecret, Error, Issued, Lifetime, NewSecret, Outcome, Registry, Seller,
};

use crate::proxy::{Fault, Proxy};
use crate::support::forward;
use crate::support::server::{Schema, Server, client, run};
use crate::world::{eventually, keyring, register};

/// A store behind a proxy. The faults that are laid ready are armed when a commit is about to be sent.
#[derive(Clone)]
struct Faulty {
    store: PostgresStore,
    proxy: Proxy,
    ready: Arc<Mutex<Vec<Fault>>>,
}

impl std::fmt::Debug for Faulty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Faulty").finish_non_exhaustive()
    }
}

impl Store for Faulty {
    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        if let Some(fault) = self.ready.lock().unwrap().pop() {
            self.proxy.arm(fault);
        }
        let answer = self.store.commit(commit).await;
        self.proxy.disarm();
        answer
    }

    forward!(store: load history clients client_of ending changes latest adopt note_uses last_uses);
}

struct Scene {
    server: Server,
    schema: Schema,
    proxy: Proxy,
    ready: Arc<Mutex<Vec<Fault>>>,
    /// Behind the proxy.
    faulty: Registry<Faulty>,
    /// The same registry, as a node sees it whose network is well.
    direct: Registry<PostgresStore>,
    contoso: Seller<PostgresStore>,
    count: std::sync::atomic::AtomicU32,
}

impl Scene {
    async fn new() -> Self {
        let server = Server::start();
        let schema = Schema::at(server.url());
        let direct = Registry::open(schema.store().await, keyring()).await.unwrap();
        let contoso = direct.as_seller("contoso").unwrap();
        let proxy = Proxy::before(server.address()).await;
        let options = schema
            .options()
            .max_connections(1)
            .hints(false)
            .statement_timeout(Duration::from_secs(1))
            .acquire_timeout(Duration::from_secs(5));
        let store = PostgresStore::connect_with(&proxy.url(), options).await.unwrap();
        let ready = Arc::default();
        let faulty = Faulty { store, proxy: proxy.clone(), ready: Arc::clone(&ready) };
        let faulty = Registry::open(faulty, keyring()).await.unwrap();
        Self { server, schema, proxy, ready, faulty, direct, contoso, count: Default::default() }
    }

    /// A client of its own, and its first secret.
    async fn client(&self) -> Issued {
        let number = self.count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        register(&self.contoso, &format!("app {number}")).await
    }

    fn behind(&self, id: &ClientId) -> ClientHandle<Faulty> {
        self.faulty.as_seller("contoso").unwrap().client(id)
    }

    /// Makes the next commits meet with these, one after the other.
    fn lay(&self, faults: &[Fault]) {
        *self.ready.lock().unwrap() = faults.iter().rev().copied().collect();
    }

    /// So many secrets, a whole trail, and no more commits than there were changes.
    async fn check(&self, id: &ClientId, secrets: usize, revision: u64) {
        let client = self.contoso.client(id);
        let snapshot = client.snapshot().await.unwrap();
        assert_eq!(snapshot.client().secrets().count(), secrets);
        assert_eq!(snapshot.client().revision(), Revision::new(revision));
        let trail = client.trail(Revision::ZERO, 100).await.unwrap();
        check_trail(&trail, EventHash::START, snapshot.client().head()).unwrap();
        let history = self.direct.store().history(id, Revision::ZERO, 100).await.unwrap();
        let revisions: Vec<_> = history.iter().map(|made| made.revision.number()).collect();
        assert_eq!(revisions, (1..=revision).collect::<Vec<_>>());
    }

    async fn lets_in(&self, id: &ClientId, secret: &ClientSecret) {
        self.direct.authenticate(id.as_str(), secret.expose()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_cut_at_every_stage_of_a_commit_loses_and_doubles_nothing() {
    let scene = Scene::new().await;
    // Statements are prepared, so that what is sent is the commit.
    let warm = scene.client().await;
    let _ = scene.behind(warm.client_id()).add_secret(NewSecret::lasting(Lifetime::OneYear)).await.unwrap();
    let sent = (0..2400).step_by(89).map(Fault::CutSent);
    let answers = (0..140).step_by(7).map(Fault::CutAnswer);
    let (mut cuts, mut met) = (0, 0);
    for fault in sent.chain(answers) {
        let first = scene.client().await;
        let id = first.client_id();
        scene.lay(&[fault]);
        let added = scene.behind(id).add_secret(NewSecret::lasting(Lifetime::OneYear)).await;
        let added = added.unwrap_or_else(|error| panic!("{fault:?}: {error:?}"));
        scene.check(id, 2, 2).await;
        scene.lets_in(id, added.client_secret()).await;
        cuts += 1;
        met +=
            usize::from(tokio::time::timeout(Duration::from_millis(1), scene.proxy.happened()).await.is_ok());
    }
    println!("{cuts} commits, {met} of them cut off");
    assert!(met > 30, "{met} of {cuts}");
}

/// The first attempt arrives when the second one has been made: its connection was cut, or went silent for seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_arrives_after_it_was_settled_changes_nothing() {
    let scene = Scene::new().await;
    let faults = [Fault::Hold; 10].into_iter().chain([Fault::Freeze; 2]);
    for fault in faults {
        let first = scene.client().await;
        let id = first.client_id();
        scene.lay(&[fault]);
        let added = scene.behind(id).add_secret(NewSecret::lasting(Lifetime::OneYear)).await.unwrap();
        scene.check(id, 2, 2).await;
        assert_eq!(scene.proxy.release().await, 1);
        scene.check(id, 2, 2).await;
        scene.lets_in(id, added.client_secret()).await;
    }
}

/// No attempt has an answer; one of them arrives all the same, before the caller resolves it or after.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asked_for_a_secret_has_it_in_the_error_and_can_settle_it() {
    let scene = Scene::new().await;
    for arrives_first in [true, false] {
        let first = scene.client().await;
        let id = first.client_id();
        let unresolved = unresolved(&scene, id).await;
        let secret = unresolved.issued().unwrap().secret_id();
        if arrives_first {
            assert_eq!(scene.proxy.release().await, 3);
        }
        let Resolution::Made(Some(issued)) = scene.faulty.resolve(unresolved).await.unwrap() else {
            panic!("not made");
        };
        if !arrives_first {
            assert_eq!(scene.proxy.release().await, 3);
        }
        assert_eq!(issued.secret_id(), secret);
        scene.check(id, 2, 2).await;
        // Listed, never used, and deletable.
        let client = scene.contoso.client(id);
        assert_eq!(client.snapshot().await.unwrap().last_used(secret), None);
        let plan = client.plan_deletion(secret).await.unwrap();
        assert_eq!(client.confirm(plan).await.unwrap(), Outcome::Changed);
    }
}

/// Somebody else changes the client first: then what is late is refused for ever, and the answer says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_comes_too_late_is_not_made_and_the_answer_says_so() {
    let scene = Scene::new().await;
    let first = scene.client().await;
    let id = first.client_id();
    let unresolved = unresolved(&scene, id).await;
    let other = scene.contoso.client(id).add_secret(NewSecret::lasting(Lifetime::OneYear)).await.unwrap();
    assert!(matches!(scene.faulty.resolve(unresolved).await, Ok(Resolution::NotMade)));
    assert_eq!(scene.proxy.release().await, 3);
    scene.check(id, 2, 2).await;
    scene.lets_in(id, other.client_secret()).await;
}

/// It waits for another session's lock when its connection breaks, and is made when the lock is gone: after the registry has
/// sent it again, which waits as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_waits_on_the_server_without_its_connection_is_made_once() {
    let scene = Scene::new().await;
    let first = scene.client().await;
    let id = first.client_id().clone();
    let lock = client(&scene.server.url()).await.unwrap();
    let schema = &scene.schema.name;
    lock.batch_execute(&format!("BEGIN; SELECT 1 FROM {schema}.records WHERE id = '{id}' FOR UPDATE"))
        .await
        .unwrap();
    let handle = scene.behind(&id);
    let adding = tokio::spawn(async move { handle.add_secret(NewSecret::lasting(Lifetime::OneYear)).await });
    let waiting = format!(
        "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%{schema}\".records r%'"
    );
    let first_pid = eventually(async || column(&scene, &waiting).await.into_iter().next()).await;
    // Its connection goes; what waits stays.
    scene.proxy.cut_all();
    eventually(async || {
        let waiting = column(&scene, &waiting).await;
        (waiting.len() == 2 && waiting.contains(&first_pid)).then_some(())
    })
    .await;
    lock.batch_execute("COMMIT").await.unwrap();
    let added = adding.await.unwrap().unwrap();
    scene.check(&id, 2, 2).await;
    scene.lets_in(&id, added.client_secret()).await;
}

async fn column(scene: &Scene, sql: &str) -> Vec<String> {
    let rows = run(&scene.server.url(), sql).await;
    rows.into_iter().map(|mut row| row.remove(0).unwrap()).collect()
}

/// An addition of which no attempt was answered; each is still under way.
async fn unresolved(scene: &Scene, id: &ClientId) -> Unresolved {
    scene.lay(&[Fault::Hold, Fault::Hold, Fault::Hold]);
    match scene.behind(id).add_secret(NewSecret::lasting(Lifetime::OneYear)).await {
        Err(Error::Unresolved(unresolved)) => *unresolved,
        other => panic!("{other:?}"),
    }
}
