//! The server is killed while four write: without a word, at once, or one of its sessions. Whatever was acknowledged is
//! there afterwards, once; whatever was not is there wholly or not at all; and every client secret that was issued is in
//! the hands of a caller.
//!
//! Ten times each here. More, at its own time: `CLIENT_REGISTRY_KILLS=200 cargo test --release --features postgres --test
//! postgres kills -- --nocapture`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use client_registry::event::{EventHash, check_trail};
use client_registry::registry::Resolution;
use client_registry::store::{Commit, CommitError, PostgresStore, Store};
use client_registry::value::Revision;
use client_registry::{ClientId, ClientSecret, Error, Lifetime, NewSecret, Registry, Seller};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::support::forward;
use crate::support::server::{Schema, Server, run};
use crate::world::{details, keyring};

type Failed = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, Clone, Copy)]
enum Kill {
    Server,
    Immediately,
    OneSession,
}

const USUAL_KILLS: usize = 10;

/// What was acknowledged.
#[derive(Default)]
struct Known {
    /// In hand: of each client its secrets, and the revision that it has at least.
    clients: HashMap<ClientId, (Vec<ClientSecret>, Revision)>,
    unresolved: usize,
    refused: usize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_was_acknowledged_survives_the_server() {
    let each: usize =
        std::env::var("CLIENT_REGISTRY_KILLS").map_or(USUAL_KILLS, |count| count.parse().unwrap());
    let kills = [Kill::Server, Kill::Immediately, Kill::OneSession].into_iter().cycle().take(3 * each);
    let told = kill_while_four_write(|store| store, kills).await.expect("all of it is there");
    println!("{} kills: {told}", 3 * each);
    // Of fewer kills chance decides what they hit.
    assert!(each < USUAL_KILLS || !told.contains(", 0 were resolved"), "none was hit in the middle");
}

/// The control: a store that takes a connection that broke for an acknowledgement.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_acknowledges_what_it_does_not_know_is_found() {
    let kills = [Kill::Server].into_iter().cycle().take(8);
    assert!(kill_while_four_write(Rash, kills).await.is_err());
}

#[derive(Debug)]
struct Rash(PostgresStore);

impl Store for Rash {
    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        match self.0.commit(commit).await {
            Err(CommitError::Failed(_)) => Ok(()),
            answer => answer,
        }
    }

    forward!(0: load history clients client_of ending changes latest adopt note_uses last_uses);
}

/// Lets four write, kills a server of its own each time that they have come on, and compares what there is with what they were
/// told: what that was, or that something is missing.
async fn kill_while_four_write<S: Store>(
    wrap: impl FnOnce(PostgresStore) -> S,
    kills: impl Iterator<Item = Kill>,
) -> Result<String, Failed> {
    let server = Arc::new(Server::start());
    let schema = Schema::at(server.url());
    let options =
        schema.options().statement_timeout(Duration::from_secs(5)).acquire_timeout(Duration::from_secs(5));
    let store = wrap(schema.store_with(options).await);
    let registry = Registry::open(store, keyring()).await?;
    let known = Arc::new(Mutex::new(Known::default()));
    let (acknowledged, mut seen) = watch::channel(0_u64);
    let acknowledged = Arc::new(acknowledged);
    let (stop, stopped) = watch::channel(false);
    let mut writers = JoinSet::new();
    for number in 0..4 {
        let writer = Writer {
            seller: registry.as_seller(format!("seller-{number}"))?,
            registry: registry.clone(),
            known: Arc::clone(&known),
            acknowledged: Arc::clone(&acknowledged),
            stopped: stopped.clone(),
        };
        writers.spawn(writer.write());
    }
    drop(acknowledged);
    for (count, kill) in (0..).zip(kills) {
        // Somewhere in the middle of things, and never before they have begun again.
        come_on(&mut seen, 20 + (count * 7) % 40).await?;
        strike(&server, kill).await;
    }
    come_on(&mut seen, 20).await?;
    stop.send_replace(true);
    while let Some(written) = writers.join_next().await {
        written?;
    }
    let told = *seen.borrow();
    let known = std::mem::take(&mut *known.lock().unwrap());
    let told = format!(
        "{told} acknowledged changes of {} clients are there, {} were resolved, {} refused",
        known.clients.len(),
        known.unresolved,
        known.refused
    );
    // As a task, so that the control sees its failure and lives.
    tokio::spawn(async move { check(&registry, &known).await }).await?;
    Ok(told)
}

/// Waits for so many more acknowledgements.
async fn come_on(seen: &mut watch::Receiver<u64>, more: u64) -> Result<(), Failed> {
    let goal = *seen.borrow() + more;
    let wait = seen.wait_for(|so_far| *so_far >= goal);
    // Long, since a machine that has other things to do is no fault.
    tokio::time::timeout(Duration::from_secs(300), wait).await??;
    Ok(())
}

async fn strike(server: &Arc<Server>, kill: Kill) {
    if let Kill::OneSession = kill {
        let one = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE application_name = 'client-registry' ORDER BY state = 'active' DESC, random() LIMIT 1";
        run(&server.url(), one).await;
        return;
    }
    let server = Arc::clone(server);
    let striking = tokio::task::spawn_blocking(move || {
        match kill {
            Kill::Immediately => server.stop("immediate"),
            _ => server.kill(),
        }
        server.up();
    });
    striking.await.unwrap();
}

struct Writer<S> {
    registry: Registry<S>,
    seller: Seller<S>,
    known: Arc<Mutex<Known>>,
    acknowledged: Arc<watch::Sender<u64>>,
    stopped: watch::Receiver<bool>,
}

impl<S: Store> Writer<S> {
    /// A client, two more secrets, a promotion; then the next client.
    async fn write(self) {
        for number in 0.. {
            if *self.stopped.borrow() {
                return;
            }
            let name = format!("app {number}");
            let registered = self.seller.register(details(&name), Lifetime::OneYear).await;
            let Some(first) = self.settled(registered).await else { continue };
            let (id, _, secret) = first.into_parts();
            self.keep(&id, Some(secret), Revision::new(1));
            let client = self.seller.client(&id);
            let mut revision = Revision::new(1);
            let mut last = None;
            for _ in 0..2 {
                let added = client.add_secret(NewSecret::lasting(Lifetime::OneYear)).await;
                if let Some(added) = self.settled(added).await {
                    revision = revision.next();
                    let (_, secret_id, secret) = added.into_parts();
                    self.keep(&id, Some(secret), revision);
                    last = Some(secret_id);
                }
            }
            if let Some(secret) = last {
                match client.promote(secret).await {
                    Ok(_) => self.keep(&id, None, revision.next()),
                    Err(error) => drop(self.settled(Err(error)).await),
                }
            }
        }
    }

    /// What was issued, once that is known.
    async fn settled(
        &self,
        outcome: Result<client_registry::Issued, Error>,
    ) -> Option<client_registry::Issued> {
        let mut unresolved = match outcome {
            Ok(issued) => return Some(issued),
            Err(Error::Unresolved(unresolved)) => unresolved,
            Err(Error::Unavailable(_)) => {
                self.known.lock().unwrap().refused += 1;
                tokio::time::sleep(Duration::from_millis(20)).await;
                return None;
            }
            Err(error) => panic!("{error:?}"),
        };
        self.known.lock().unwrap().unresolved += 1;
        loop {
            match self.registry.resolve(*unresolved).await {
                Ok(Resolution::Made(issued)) => return issued,
                Ok(_) => return None,
                Err(still) => *unresolved = still,
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn keep(&self, id: &ClientId, secret: Option<ClientSecret>, revision: Revision) {
        let mut known = self.known.lock().unwrap();
        let client = known.clients.entry(id.clone()).or_default();
        client.0.extend(secret);
        client.1 = revision;
        self.acknowledged.send_modify(|count| *count += 1);
    }
}

async fn check<S: Store>(registry: &Registry<S>, known: &Known) {
    let store = registry.store();
    let operator = registry.as_operator("ann").unwrap();
    let mut events = 0;
    for (id, (secrets, at_least)) in &known.clients {
        let client = operator.client(id);
        let snapshot = client.snapshot().await.unwrap();
        let revision = snapshot.client().revision();
        // A promotion that was resolved is not in hand.
        assert!(revision == *at_least || revision == at_least.next(), "{id}: {revision}, not {at_least}");
        assert_eq!(snapshot.client().secrets().count(), secrets.len(), "{id}: each is in somebody's hands");
        for secret in secrets {
            registry.authenticate(id.as_str(), secret.expose()).await.unwrap();
        }
        let trail = client.trail(Revision::ZERO, 100).await.unwrap();
        check_trail(&trail, EventHash::START, snapshot.client().head()).unwrap();
        let history = store.history(id, Revision::ZERO, 100).await.unwrap();
        assert_eq!(history.len() as u64, revision.number());
        events += trail.len();
    }
    // Nothing is there that nobody was told of, and the feed has it all.
    let all = store.clients(client_registry::store::ClientsBy::All, None, usize::MAX).await.unwrap();
    assert_eq!(all.len(), known.clients.len());
    assert_eq!(store.changes(None, usize::MAX).await.unwrap().events.len(), events);
}
