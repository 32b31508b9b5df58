//! How often commands reach the store. Each call is a round trip to a database, and a commit is a flush besides.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use client_registry::client::LastUses;
use client_registry::store::{
    ClientsBy, Commit, CommitError, Committed, MemoryStore, Record, RecordId, Store, StoreError,
    StoreErrorKind, Use,
};
use client_registry::value::Revision;
use client_registry::{
    AddInId, ClientHandle, ClientId, Days, Freshness, Issued, Lifetime, NewSecret, Policy, Registry,
    Rotation, SecretId, Seller, Timestamp,
};
use pollster::block_on;

use crate::support::{Seeded, add_in, clock, details, forward, keyring};

/// A memory store that notes what is asked of it.
#[derive(Debug, Clone, Default)]
struct Counting {
    memory: MemoryStore,
    notes: Arc<Mutex<Notes>>,
}

#[derive(Debug, Default)]
struct Notes {
    calls: Vec<&'static str>,
    /// The next commit is made, and its answer lost.
    answer_is_lost: bool,
}

impl Counting {
    fn note(&self, call: &'static str) {
        self.notes.lock().unwrap().calls.push(call);
    }

    /// What is asked of the store meanwhile, and the answer.
    fn calls<T>(&self, command: impl Future<Output = T>) -> (String, T) {
        self.notes.lock().unwrap().calls.clear();
        let answer = block_on(command);
        (self.notes.lock().unwrap().calls.join(" "), answer)
    }
}

impl Store for Counting {
    async fn load(&self, id: RecordId<'_>) -> Result<Option<Record>, StoreError> {
        self.note(if id == RecordId::REGISTRY { "keys" } else { "load" });
        self.memory.load(id).await
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        self.note("commit");
        self.memory.commit(commit).await?;
        match std::mem::take(&mut self.notes.lock().unwrap().answer_is_lost) {
            true => Err(StoreError::new(StoreErrorKind::Unavailable).into()),
            false => Ok(()),
        }
    }

    async fn history(
        &self,
        client_id: &ClientId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<Committed>, StoreError> {
        self.note("history");
        self.memory.history(client_id, after, limit).await
    }

    async fn clients(
        &self,
        by: ClientsBy<'_>,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<Vec<ClientId>, StoreError> {
        self.note("clients");
        self.memory.clients(by, after, limit).await
    }

    async fn client_of(&self, add_in: &AddInId) -> Result<Option<ClientId>, StoreError> {
        self.note("client_of");
        self.memory.client_of(add_in).await
    }

    async fn note_uses(&self, uses: &[Use], believable_until: Timestamp) -> Result<(), StoreError> {
        self.note("note_uses");
        self.memory.note_uses(uses, believable_until).await
    }

    async fn last_uses(&self, client_id: &ClientId) -> Result<LastUses, StoreError> {
        self.note("last_uses");
        self.memory.last_uses(client_id).await
    }

    forward!(memory: ending changes latest adopt);
}

/// A registry that keeps no client in memory, and contoso with one client.
struct World {
    store: Counting,
    registry: Registry<Counting>,
    contoso: Seller<Counting>,
    issued: Issued,
}

impl World {
    /// The registry asks for the state of the keys this often.
    fn asking_for_keys_every(key_refresh: Duration) -> Self {
        let store = Counting::default();
        let builder = Registry::builder()
            .clock(clock())
            .entropy(Seeded::new(3))
            .policy(Policy::default().with_retire_after(Days::new(0)))
            .freshness(Freshness::within(Duration::ZERO))
            .key_refresh(key_refresh);
        let registry = block_on(builder.open(store.clone(), keyring())).unwrap();
        let contoso = registry.as_seller("contoso").unwrap();
        let issued = block_on(contoso.register(details("calendar app"), Lifetime::OneYear)).unwrap();
        Self { store, registry, contoso, issued }
    }

    /// The state of the keys is known.
    fn new() -> Self {
        Self::asking_for_keys_every(Duration::from_secs(60))
    }

    fn client(&self) -> ClientHandle<Counting> {
        self.contoso.client(self.issued.client_id())
    }

    fn add_secret(&self) -> SecretId {
        block_on(self.client().add_secret(another())).unwrap().secret_id()
    }
}

fn another() -> NewSecret {
    NewSecret::lasting(Lifetime::OneYear)
}

#[test]
fn a_command_loads_once_and_commits_once() {
    let world = World::new();
    let (store, client) = (&world.store, world.client());
    let (calls, added) = store.calls(client.add_secret(another()));
    let added = added.unwrap().secret_id();
    assert_eq!(calls, "load commit");
    let (calls, promoted) = store.calls(client.promote(added));
    assert_eq!((calls.as_str(), promoted.is_ok()), ("load commit", true));
    let (calls, renamed) = store.calls(client.change_details(details("agenda")));
    assert_eq!((calls.as_str(), renamed.is_ok()), ("load commit", true));
    let (calls, associated) = store.calls(client.associate(&add_in(1)));
    assert_eq!((calls.as_str(), associated.is_ok()), ("load commit", true));
    let (calls, again) = store.calls(client.associate(&add_in(1)));
    assert_eq!((calls.as_str(), again.is_ok()), ("load", true));
    let (calls, deleted) = store.calls(client.delete_in_emergency(added, Some(another())));
    assert_eq!((calls.as_str(), deleted.is_ok()), ("load commit", true));
    let (calls, marked) = store.calls(client.mark_compromised(added));
    assert_eq!((calls.as_str(), marked.is_ok()), ("load", true));
    let (calls, registered) = store.calls(world.contoso.register(details("calendar app"), Lifetime::OneYear));
    assert_eq!(calls, "commit");
    let (calls, moved) = store.calls(client.move_add_in(add_in(1).id(), registered.unwrap().client_id()));
    assert_eq!((calls.as_str(), moved.is_ok()), ("load load commit", true));
}

/// A command that is decided by the last uses reads them besides, once the actor was let through, and writes those that were noted
/// here first.
#[test]
fn a_plan_is_confirmed_and_a_secret_rotated_with_one_load() {
    let world = World::new();
    let (store, client) = (&world.store, world.client());
    let added = world.add_secret();
    let (calls, plan) = store.calls(client.plan_disabling(added));
    assert_eq!(calls, "load last_uses");
    let (calls, disabled) = store.calls(client.confirm(plan.unwrap()));
    assert_eq!((calls.as_str(), disabled.is_ok()), ("load last_uses commit", true));

    let (id, secret) = (world.issued.client_id().as_str(), world.issued.client_secret().expose());
    let (calls, let_in) = store.calls(world.registry.authenticate(id, secret));
    assert_eq!((calls.as_str(), let_in.is_ok()), ("load", true));
    let (calls, rotated) = store.calls(client.rotate(Rotation::overlap(Days::new(30))));
    assert_eq!((calls.as_str(), rotated.is_ok()), ("load note_uses last_uses commit", true));
}

/// Where the state of the keys has to be asked for, and the answer to the commit is lost: the commit is sent again, and the history
/// tells whose it was.
#[test]
fn a_promotion_reaches_the_store_five_times_at_worst_unless_others_change_the_client() {
    let world = World::asking_for_keys_every(Duration::ZERO);
    let (store, client) = (&world.store, world.client());
    let added = world.add_secret();
    let lose_the_answer = || store.notes.lock().unwrap().answer_is_lost = true;
    lose_the_answer();
    let (calls, promoted) = store.calls(client.promote(added));
    assert_eq!((calls.as_str(), promoted.is_ok()), ("load keys commit commit history", true));
    lose_the_answer();
    let (calls, rotated) = store.calls(client.rotate(Rotation::overlap(Days::new(30))));
    assert_eq!((calls.as_str(), rotated.is_ok()), ("load last_uses keys commit commit history", true));
}

/// Of a client that the actor may not see, nothing is read but the record that says whose it is.
#[test]
fn rule_15_nothing_else_is_read_of_another_sellers_client() {
    let world = World::new();
    let plan = block_on(world.client().plan_client_deletion()).unwrap();
    let fabrikam = world.registry.as_seller("fabrikam").unwrap();
    let (store, client) = (&world.store, fabrikam.client(world.issued.client_id()));
    let (calls, confirmed) = store.calls(client.confirm(plan));
    assert_eq!((calls.as_str(), confirmed.unwrap_err().code()), ("load", "unknown_client"));
    let (calls, rotated) = store.calls(client.rotate(Rotation::overlap(Days::new(30))));
    assert_eq!((calls.as_str(), rotated.unwrap_err().code()), ("load", "unknown_client"));
}
