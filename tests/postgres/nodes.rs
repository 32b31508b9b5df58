//! Three nodes with caches on one server: how long a revocation takes to arrive.

#![expect(clippy::disallowed_methods, reason = "how long it takes on a real clock is what is measured here")]

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use client_registry::clock::{Clock, SystemClock};
use client_registry::store::{PostgresStore, Store};
use client_registry::{
    AccessError, ErrorKind, Freshness, Issued, Lifetime, NewSecret, Reason, Registry, Timestamp,
};
use tokio::task::{JoinHandle, JoinSet};

use crate::proxy::Proxy;
use crate::support::server::{Schema, client};
use crate::world::{details, keyring};

/// A node that follows the feed until it is dropped.
struct Node {
    registry: Registry<PostgresStore>,
    following: JoinHandle<()>,
}

impl Node {
    async fn at(url: &str, schema: &Schema, freshness: Duration, hints: bool) -> Self {
        Self::with_clock(url, schema, freshness, hints, SystemClock::new()).await
    }

    async fn with_clock(
        url: &str,
        schema: &Schema,
        freshness: Duration,
        hints: bool,
        clock: impl Clock,
    ) -> Self {
        let store = PostgresStore::connect_with(url, schema.options().hints(hints)).await.unwrap();
        let builder = Registry::builder().clock(clock).freshness(Freshness::within(freshness));
        let registry = builder.open(store, keyring()).await.unwrap();
        let node = registry.clone();
        let hints = registry.store().hints();
        let following = tokio::spawn(async move {
            let _ = node.keep_fresh(|at_most| hints.wait(at_most)).await;
        });
        Self { registry, following }
    }

    /// Tells whether it lets the caller in; `None` when it cannot say.
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
        contoso.register(details(&format!("app {number}")), Lifetime::OneYear).await.unwrap()
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

/// Three nodes on one server.
struct Nodes {
    schema: Schema,
    here: Arc<Node>,
    others: Arc<[Node]>,
}

impl Nodes {
    async fn start(hints: bool) -> Self {
        let schema = Schema::shared();
        let node = async || Node::at(&schema.url, &schema, FRESHNESS, hints).await;
        let (here, others) = (Arc::new(node().await), Arc::new([node().await, node().await]));
        Self { schema, here, others }
    }

    /// From the acknowledgement here to the last time that another node lets a caller in, for each of so many deletions, so
    /// many of them at once.
    async fn delays(&self, deletions: usize, at_once: usize) -> Vec<Duration> {
        let mut delays = Vec::new();
        for first in (0..deletions).step_by(at_once) {
            let mut deleting = JoinSet::new();
            for number in first..first + at_once {
                deleting.spawn(delay(number, Arc::clone(&self.here), Arc::clone(&self.others)));
            }
            delays.append(&mut deleting.join_all().await);
        }
        delays.sort();
        delays
    }
}

async fn delay(number: usize, here: Arc<Node>, others: Arc<[Node]>) -> Duration {
    let issued = here.register(number).await;
    for other in &*others {
        assert_eq!(other.lets_in(&issued).await, Some(true));
    }
    here.delete(&issued).await;
    let acknowledged = Instant::now();
    assert_eq!(here.lets_in(&issued).await, Some(false), "at once where it was made");
    let mut last = Duration::ZERO;
    for other in &*others {
        while other.lets_in(&issued).await == Some(true) {
            last = acknowledged.elapsed();
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    last
}

/// Says how long it took, and answers with the median. A deletion is never known later than it is fresh.
fn report(what: &str, delays: &[Duration]) -> Duration {
    let at = |percent: usize| delays[(delays.len() - 1) * percent / 100];
    let _ = writeln!(
        std::io::stdout(),
        "{what}: {} deletions, let in elsewhere afterwards for a median of {:?}, p99 {:?}, at most {:?}",
        delays.len(),
        at(50),
        at(99),
        at(100),
    );
    assert!(at(100) < FRESHNESS + Duration::from_millis(500), "whatever the network does: {delays:?}");
    at(50)
}

/// Sooner than a poll comes by itself.
const PROMPT: Duration = Duration::from_millis(250);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_arrives_on_the_other_nodes() {
    let delays = Nodes::start(true).await.delays(DELETIONS, 1).await;
    assert!(report("with notifications", &delays) < PROMPT);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_notifications_it_is_never_later_than_the_freshness() {
    let delays = Nodes::start(false).await.delays(DELETIONS, 10).await;
    assert!(report("without notifications", &delays) < FRESHNESS / 2, "known by a poll");
}

/// The control for both: nodes that do not follow know when what they have is no longer fresh.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_do_not_follow_are_found() {
    let nodes = Nodes::start(true).await;
    for node in nodes.others.iter() {
        node.following.abort();
    }
    assert!(report("not followed", &nodes.delays(20, 20).await) > FRESHNESS / 2);
}

/// Somebody holds a transaction open in which nothing is acknowledged: nobody else's revocation waits for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_is_held_open_delays_no_revocation() {
    let nodes = Nodes::start(true).await;
    let held = nodes.here.register(DELETIONS).await;
    let holder = client(&nodes.schema.url).await.unwrap();
    let hold = format!(
        "BEGIN; UPDATE {}.records SET format = format WHERE id = '{}'",
        nodes.schema.name,
        held.client_id()
    );
    holder.batch_execute(&hold).await.unwrap();
    let delays = nodes.delays(DELETIONS, 1).await;
    assert!(report("beside a held transaction", &delays) < PROMPT);
    holder.batch_execute("ROLLBACK").await.unwrap();
}

/// A system clock whose wall can be moved.
#[derive(Debug, Clone, Default)]
struct Jumping {
    clock: Arc<SystemClock>,
    ahead: Arc<AtomicI64>,
}

impl Jumping {
    fn to(&self, seconds_ahead: i64) {
        self.ahead.store(seconds_ahead, Ordering::SeqCst);
    }
}

impl Clock for Jumping {
    fn wall(&self) -> Timestamp {
        let ahead = self.ahead.load(Ordering::SeqCst) * 1000;
        Timestamp::from_millis(self.clock.wall().as_millis() + ahead).unwrap()
    }

    fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }
}

/// Clocks that are set to another time, forwards or backwards, at the worst moment: the freshness is as long as it was, and
/// nobody is denied who should not be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clocks_that_jump_make_no_revocation_later() {
    let schema = Schema::shared();
    let here = Node::at(&schema.url, &schema, FRESHNESS, false).await;
    let clocks = [Jumping::default(), Jumping::default()];
    let mut others = Vec::new();
    for clock in &clocks {
        others.push(Node::with_clock(&schema.url, &schema, FRESHNESS, false, clock.clone()).await);
    }
    let mut longest = Duration::ZERO;
    for (number, jumps) in [[30, -30], [-30, 30], [50, -50], [0, -7], [-7, 0]].into_iter().enumerate() {
        for clock in &clocks {
            clock.to(0);
        }
        let (issued, kept) = (here.register(2 * number).await, here.register(2 * number + 1).await);
        for other in &others {
            assert_eq!(other.lets_in(&issued).await, Some(true));
        }
        here.delete(&issued).await;
        let acknowledged = Instant::now();
        for (clock, seconds) in clocks.iter().zip(jumps) {
            clock.to(seconds);
        }
        for other in &others {
            while other.lets_in(&issued).await == Some(true) {
                longest = longest.max(acknowledged.elapsed());
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            assert_eq!(other.lets_in(&kept).await, Some(true), "{jumps:?}");
        }
    }
    let _ = writeln!(std::io::stdout(), "with clocks that jump: let in for at most {longest:?}");
    assert!(longest < FRESHNESS + Duration::from_millis(500), "{longest:?}");
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
    // The feed has passed, and nothing of this client is to come.
    tokio::time::sleep(FRESHNESS / 4).await;
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
    assert!(last_let_in > FRESHNESS / 4, "it answers while it is fresh: {last_let_in:?}");
    assert!(last_let_in < FRESHNESS + Duration::from_millis(500), "{last_let_in:?}");
    let _ = writeln!(std::io::stdout(), "cut off: let in for {last_let_in:?}, then unavailable");
    proxy.lead_to(address);
    crate::world::eventually(async || (there.lets_in(&issued).await == Some(false)).then_some(())).await;
    assert!(there.registry.store().load(issued.client_id().into()).await.is_ok());
}
