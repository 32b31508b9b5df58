//! Three nodes with caches on one server: how long a revocation takes to arrive.

#![expect(clippy::disallowed_methods, reason = "how long it takes on a real clock is what is measured here")]

use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use client_registry::store::{PostgresStore, Store};
use client_registry::{AccessError, ErrorKind, Freshness, Issued, Lifetime, NewSecret, Reason, Registry};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::proxy::Proxy;
use crate::server::{Schema, client};
use crate::world::{details, keyring};

/// A node that follows the feed until it is dropped.
struct Node {
    registry: Registry<PostgresStore>,
    following: JoinHandle<()>,
}

impl Node {
    async fn at(url: &str, schema: &Schema, freshness: Duration, hints: bool) -> Self {
        let options = schema.options().hints(hints).acquire_timeout(Duration::from_secs(1));
        let options = options.statement_timeout(Duration::from_secs(1));
        let store = PostgresStore::connect_with(url, options).await.unwrap();
        let builder = Registry::builder().freshness(Freshness::within(freshness));
        let registry = builder.open(store, keyring()).await.unwrap();
        let node = registry.clone();
        let heard = Arc::new(Mutex::new(registry.store().hints()));
        let following = tokio::spawn(async move {
            let wait = |at_most| {
                let heard = Arc::clone(&heard);
                async move {
                    heard.lock().await.wait(at_most).await;
                }
            };
            let _ = node.keep_fresh(wait).await;
        });
        Self { registry, following }
    }

    /// Whether it lets somebody in; `None` when it cannot say.
    async fn lets_in(&self, issued: &Issued) -> Option<bool> {
        let (id, secret) = (issued.client_id().as_str(), issued.client_secret().expose());
        match self.registry.authenticate(id, secret).await {
            Ok(_) => Some(true),
            Err(AccessError::Denied(denied)) => {
                assert_eq!(denied.reason(), Reason::Compromised);
                Some(false)
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Unavailable);
                None
            }
        }
    }

    async fn register(&self, number: usize) -> Issued {
        let contoso = self.registry.as_seller("contoso").unwrap();
        let worldwide = client_registry::Availability::Worldwide;
        contoso.register(details(&format!("app {number}")), worldwide, Lifetime::OneYear).await.unwrap()
    }

    async fn delete(&self, issued: &Issued) {
        let client = self.registry.as_operator("ann").unwrap().client(issued.client_id());
        let new = Some(NewSecret::lasting(Lifetime::OneYear));
        let _ = client.delete_in_emergency(issued.secret_id(), new).await.unwrap();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.following.abort();
    }
}

const FRESHNESS: Duration = Duration::from_secs(2);
const DELETIONS: usize = 200;

/// From the acknowledgement here to the last time that somebody is let in elsewhere, for each of some deletions.
async fn delays(hints: bool, deletions: usize) -> Vec<Duration> {
    let schema = Schema::shared();
    let mut nodes = Vec::new();
    for _ in 0..3 {
        nodes.push(Node::at(&schema.url, &schema, FRESHNESS, hints).await);
    }
    let [here, others @ ..] = nodes.as_slice() else { unreachable!() };
    let mut delays = Vec::new();
    for number in 0..deletions {
        let issued = here.register(number).await;
        for other in others {
            assert_eq!(other.lets_in(&issued).await, Some(true));
        }
        here.delete(&issued).await;
        let acknowledged = Instant::now();
        assert_eq!(here.lets_in(&issued).await, Some(false), "at once where it was made");
        let mut last = Duration::ZERO;
        for other in others {
            while other.lets_in(&issued).await == Some(true) {
                last = acknowledged.elapsed();
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        delays.push(last);
    }
    delays.sort();
    delays
}

fn report(what: &str, delays: &[Duration]) {
    let at = |percent: usize| delays[(delays.len() - 1) * percent / 100];
    let _ = writeln!(
        std::io::stdout(),
        "{what}: {} deletions, let in elsewhere afterwards for a median of {:?}, p99 {:?}, at most {:?}",
        delays.len(),
        at(50),
        at(99),
        at(100),
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_arrives_on_the_other_nodes() {
    let delays = delays(true, DELETIONS).await;
    report("with notifications", &delays);
    assert!(delays[delays.len() - 1] < FRESHNESS + Duration::from_millis(500), "whatever the network does");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_notifications_it_is_never_later_than_the_freshness() {
    let delays = delays(false, 20).await;
    report("without notifications", &delays);
    assert!(delays[delays.len() - 1] < FRESHNESS + Duration::from_millis(500), "{delays:?}");
}

/// Somebody holds a transaction open in which nothing is acknowledged: nobody else's revocation waits for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_is_held_open_delays_no_revocation() {
    let schema = Schema::shared();
    let here = Node::at(&schema.url, &schema, FRESHNESS, true).await;
    let there = Node::at(&schema.url, &schema, FRESHNESS, true).await;
    let (first, second) = (here.register(1).await, here.register(2).await);
    for issued in [&first, &second] {
        assert_eq!(there.lets_in(issued).await, Some(true));
    }
    let holder = client(&schema.url).await.unwrap();
    let hold = format!(
        "BEGIN; UPDATE {}.records SET format = format WHERE id = '{}'",
        schema.name,
        second.client_id()
    );
    holder.batch_execute(&hold).await.unwrap();
    here.delete(&first).await;
    let acknowledged = Instant::now();
    while there.lets_in(&first).await == Some(true) {
        assert!(acknowledged.elapsed() < FRESHNESS + Duration::from_millis(500));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let _ = writeln!(std::io::stdout(), "beside a held transaction: after {:?}", acknowledged.elapsed());
    holder.batch_execute("ROLLBACK").await.unwrap();
}

/// A node that is cut off from the server: unavailable once its freshness has run out, and never a denial.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_cut_off_is_unavailable_once_its_freshness_has_run_out() {
    let schema = Schema::shared();
    let here = Node::at(&schema.url, &schema, FRESHNESS, true).await;
    let address = schema.url.split('@').next_back().unwrap().split('/').next().unwrap().parse().unwrap();
    let proxy = Proxy::before(address).await;
    let there = Node::at(&proxy.url(), &schema, FRESHNESS, true).await;
    let issued = here.register(1).await;
    assert_eq!(there.lets_in(&issued).await, Some(true));
    // Nobody listens where it leads to from now on.
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    proxy.lead_to(nowhere);
    let cut = Instant::now();
    here.delete(&issued).await;
    let mut last_let_in = Duration::ZERO;
    while cut.elapsed() < FRESHNESS * 2 {
        match there.lets_in(&issued).await {
            Some(true) => last_let_in = cut.elapsed(),
            Some(false) => panic!("denied by a node that cannot know"),
            None => {}
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(there.lets_in(&issued).await, None);
    assert!(last_let_in < FRESHNESS + Duration::from_millis(500), "{last_let_in:?}");
    let _ = writeln!(std::io::stdout(), "cut off: let in for {last_let_in:?}, then unavailable");
    proxy.lead_to(address);
    crate::world::eventually(async || (there.lets_in(&issued).await == Some(false)).then_some(())).await;
    assert!(there.registry.store().load(issued.client_id().into()).await.is_ok());
}
