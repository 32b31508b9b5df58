//! The registry: the client IDs and client secrets of a platform, in a store.
//!
//! [`Registry`] is the main type. The platform's own side needs no actor: [`authenticate`](Registry::authenticate),
//! [`sign`](Registry::sign), [`verify`](Registry::verify). Everything that changes a client goes through an actor:
//! [`Registry::as_seller`] and [`Registry::as_operator`] return a [`Seller`] or an [`Operator`], and each of these returns a
//! [`ClientHandle`]. [`RegistryBuilder`] configures and opens a registry. [`upkeep`] has keys, checks, exports and imports.
//!
//! ```
//! # use client_registry::*;
//! # #[pollster::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let registry = Registry::in_memory();
//! let contoso = registry.as_seller("contoso")?;
//! let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
//! let issued = contoso.register(details, Lifetime::OneYear).await?;
//! let id = issued.client_id().to_string();
//! let who = registry.authenticate(&id, issued.client_secret().expose()).await?;
//! assert_eq!(who.owner().as_str(), "contoso");
//! # Ok(()) }
//! ```
//!
//! This module joins the pure core ([`client`](crate::client)) with keyring, clock, source of randomness, cache and store.
//! Every command takes the same path: load the client, let the core decide, commit. If another caller committed first, the core
//! decides again, a fixed number of times. No rule is decided here.

mod builder;
mod error;
mod manage;
mod outcome;
mod page;
mod protection;
mod seen;
mod serve;
mod snapshot;
mod unreadable;
pub mod upkeep;
mod walk;

use std::sync::Arc;

pub use self::builder::RegistryBuilder;
pub use self::error::{ConfirmError, Error, Resolution, Unresolved};
pub use self::manage::client_handle::{ClientHandle, EmergencyDeletion};
pub use self::manage::leaks::{LeakSearch, LeakVerdict};
pub use self::manage::operator::Operator;
pub use self::manage::seller::Seller;
pub use self::outcome::Outcome;
pub use self::page::Page;
pub use self::serve::authenticated::Authenticated;
pub use self::serve::cache::Freshness;
pub use self::serve::denied::{AccessError, Denied};
pub use self::serve::follow::Follower;
pub use self::serve::loaded::LoadedClient;
pub use self::serve::signatures::{SignError, Verified};
pub use self::snapshot::Snapshot;
pub use self::unreadable::Unreadable;
pub use self::upkeep::open::OpenError;

// A denial by the registry has one of the core's reasons.
#[doc(no_inline)]
pub use crate::client::Reason;

use self::protection::Protection;
use self::serve::alarm::Alarms;
use self::serve::cache::Cache;
use self::serve::last_use::LastUseBuffer;
use crate::clock::Clock;
use crate::entropy::{Entropy, EntropyError};
use crate::record::{Keyring, Opened, Record, RecordId, RegistryId};
use crate::secret::ClientSecret;
use crate::store::{CommitId, MemoryStore, Store};
use crate::store_error::{StoreError, StoreErrorKind};
use crate::value::secret_text::refuse_secret;
use crate::value::{Actor, ClientId, Field, InvalidValue, OperatorId, Policy, SellerId, Timestamp};

/// The client IDs and client secrets of a platform.
///
/// [`Registry::open`] opens the registry that lives in a store, [`Registry::in_memory`] makes one without a store, and
/// [`Registry::builder`] configures either. A registry is cheap to clone; clones are the same registry. Every method takes
/// `&self` and may be called from any thread or task.
///
/// ```
/// # use client_registry::*;
/// # #[pollster::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let registry = Registry::in_memory();
/// let contoso = registry.as_seller("contoso")?;
/// let details = ClientDetails::new("calendar", "contoso.com", "https://contoso.com/done")?;
/// let issued = contoso.register(details, Lifetime::OneYear).await?;
/// let signature = registry.sign(issued.client_id(), b"to the add-in").await?;
/// # Ok(()) }
/// ```
pub struct Registry<S = MemoryStore> {
    inner: Arc<Inner<S>>,
}

struct Inner<S> {
    store: S,
    policy: Arc<Policy>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    uses: LastUseBuffer,
    alarms: Alarms,
    /// `None` in memory, where the records are live clients and nothing is sealed.
    protection: Option<Protection>,
    /// `None` in memory, where nothing can be stale.
    cache: Option<Cache>,
    /// The store, if it keeps live clients in this process and nothing lies between: they are asked where they lie.
    memory: Option<MemoryStore>,
}

impl Registry {
    /// Makes a registry in this process's memory, with the system's clock and randomness and the default policy. It ends with the
    /// process.
    ///
    /// ```
    /// let registry = client_registry::Registry::in_memory();
    /// ```
    #[must_use]
    pub fn in_memory() -> Self {
        Self::builder().in_memory()
    }

    /// Returns a builder, to choose policy, clock, randomness, freshness and more.
    ///
    /// ```
    /// # use client_registry::{Policy, Registry};
    /// let registry = Registry::builder().policy(Policy::default().with_max_secrets(8)?).in_memory();
    /// # Ok::<(), client_registry::InvalidValue>(())
    /// ```
    pub fn builder() -> RegistryBuilder {
        RegistryBuilder::default()
    }
}

impl<S: Store> Registry<S> {
    /// Opens the registry that lives in a store, with the system's clock and randomness and the default policy. In an empty
    /// store a new registry is made: to refuse an empty store and every other registry, open it with
    /// [`RegistryBuilder::expect_registry`](crate::RegistryBuilder::expect_registry) instead.
    ///
    /// The keyring must hold every key under which a record is sealed. Opening writes the ID of each key to the store, with a value that
    /// checks the key, never the key itself: later, a keyring that has another key under the same ID is refused.
    ///
    /// ```
    /// # use client_registry::value::KeyId;
    /// # use client_registry::{Keyring, Registry, store::MemoryStore};
    /// # pollster::block_on(async {
    /// let keyring = Keyring::generate(KeyId::parse("2026")?)?;
    /// let registry = Registry::open(MemoryStore::new(), keyring).await?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// - [`OpenError::WrongKey`]: a key of the keyring is not the one of that ID that the store was written with.
    /// - [`OpenError::MissingKey`]: the keyring lacks a key under which records are sealed.
    /// - [`OpenError::RetiredKey`]: the primary key of the keyring was retired.
    /// - [`OpenError::NoRegistry`]: the store has clients, but no record of their registry.
    /// - [`OpenError::ImportUnfinished`]: an import into the store was interrupted.
    /// - [`OpenError::Contention`]: other nodes changed the registry's own record at every attempt.
    /// - [`OpenError::Entropy`]: the source of randomness failed.
    /// - [`OpenError::Store`]: the store did not answer, or what it holds cannot be used.
    pub async fn open(store: S, keyring: Keyring) -> Result<Self, OpenError> {
        RegistryBuilder::default().open(store, keyring).await
    }

    /// Returns a seller's view of the registry: its own client IDs, and no others (rule 15). The application has authenticated
    /// the seller.
    ///
    /// ```
    /// # use client_registry::Registry;
    /// let contoso = Registry::in_memory().as_seller("contoso")?;
    /// # Ok::<(), client_registry::InvalidValue>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidValue`] when the text is not a seller's ID (1 to 128 printable ASCII characters without spaces), or is a client
    /// secret (rule 8).
    pub fn as_seller(&self, seller: impl AsRef<str>) -> Result<Seller<S>, InvalidValue> {
        let seller = SellerId::parse(seller.as_ref())?;
        refuse_secret(Field::SellerId, seller.as_str())?;
        Ok(Seller::new(self.clone(), Actor::Seller(seller.clone()), seller))
    }

    /// Returns an operator's view of the registry: every client ID. The application has authenticated the operator.
    ///
    /// ```
    /// # use client_registry::Registry;
    /// let operator = Registry::in_memory().as_operator("ann")?;
    /// # Ok::<(), client_registry::InvalidValue>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidValue`] when the text is not an operator's ID (1 to 128 printable ASCII characters without spaces), or is a
    /// client secret (rule 8).
    pub fn as_operator(&self, operator: impl AsRef<str>) -> Result<Operator<S>, InvalidValue> {
        let operator = OperatorId::parse(operator.as_ref())?;
        refuse_secret(Field::OperatorId, operator.as_str())?;
        Ok(Operator::new(self.clone(), Actor::Operator(operator)))
    }

    /// Returns the registry's ID; `None` for a registry in memory. Keep it in the configuration of the application, and pass it
    /// to [`RegistryBuilder::expect_registry`](crate::RegistryBuilder::expect_registry) at each start.
    ///
    /// ```
    /// # use client_registry::{Keyring, Registry, store::MemoryStore, value::KeyId};
    /// # pollster::block_on(async {
    /// # let keyring = Keyring::generate(KeyId::parse("2026")?)?;
    /// let registry = Registry::open(MemoryStore::new(), keyring).await?;
    /// println!("expect registry {}", registry.id().expect("it lives in a store"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    #[must_use]
    pub fn id(&self) -> Option<RegistryId> {
        let protection = self.inner.protection.as_ref()?;
        Some(RegistryId::from_bytes(protection.sealing.registry_id))
    }

    /// Returns the policy by which commands are decided.
    ///
    /// ```
    /// # use client_registry::Registry;
    /// assert_eq!(Registry::in_memory().policy().max_secrets(), 5);
    /// ```
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.inner.policy
    }

    /// Returns the store in which the records live.
    ///
    /// ```
    /// # use client_registry::Registry;
    /// println!("{:?}", Registry::in_memory().store());
    /// ```
    #[must_use]
    pub fn store(&self) -> &S {
        &self.inner.store
    }

    /// Writes the last uses that this node has noted, and not yet written, to the store. Call it before the process ends: uses
    /// that were not written are lost, and a plan after the restart does not know of them (rule 9).
    ///
    /// [`keep_fresh`](Self::keep_fresh) writes them at least once a minute. On a node that does not run `keep_fresh`, call this
    /// method once a minute. A plan that is made on this node knows of every use at once; a plan of another node knows of the
    /// uses that were written.
    ///
    /// ```
    /// # use client_registry::Registry;
    /// # pollster::block_on(async {
    /// # let registry = Registry::in_memory();
    /// registry.flush_last_uses().await?; // before the process ends
    /// # Ok::<(), client_registry::store::StoreError>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// [`StoreError`] if the store did not take them. The uses that were not written are kept for the next call.
    pub async fn flush_last_uses(&self) -> Result<(), StoreError> {
        self.inner.uses.flush(&self.inner.store, &*self.inner.clock).await
    }

    /// Returns the instant that the registry's clock shows: that of the [clock](crate::RegistryBuilder::clock) it was built with,
    /// which may differ from the system's. Commands and snapshots judge a client at [`Client::instant`](crate::client::Client::instant) of
    /// it; requests that authenticate, sign or verify, at that of [`Clock::recent_wall`], which may be
    /// some milliseconds earlier.
    ///
    /// ```
    /// # use client_registry::{Registry, clock::ManualClock, Timestamp};
    /// let clock = ManualClock::new(Timestamp::parse("2026-03-01T09:00:00Z")?.to_datetime());
    /// let registry = Registry::builder().clock(clock).in_memory();
    /// assert_eq!(registry.now().to_string(), "2026-03-01T09:00:00.000Z");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.inner.clock.wall()
    }

    /// Loads a client as the store has it now.
    async fn load(&self, client_id: &ClientId) -> Result<Option<Opened>, StoreError> {
        self.load_record(client_id.into()).await
    }

    #[inline]
    async fn load_record(&self, id: RecordId<'_>) -> Result<Option<Opened>, StoreError> {
        let found = match &self.inner.protection {
            None => protection::live(id, self.inner.store.load(id).await),
            Some(protection) => protection.load(&self.inner.store, id).await,
        };
        self.alarmed(id, found)
    }

    /// Loads the record of a client with the client that it opens to. Fails with [`StoreErrorKind::NotSealed`] where records are
    /// live clients.
    async fn load_with_record(&self, client_id: &ClientId) -> Result<Option<(Record, Opened)>, StoreError> {
        let id = RecordId::from(client_id);
        let found = match &self.inner.protection {
            None => Err(StoreError::new(StoreErrorKind::NotSealed)),
            Some(protection) => protection.load_with_record(&self.inner.store, id).await,
        };
        self.alarmed(id, found)
    }

    #[inline]
    fn alarmed<T>(&self, id: RecordId<'_>, found: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(error) = &found {
            self.inner.alarms.store(id, error, &*self.inner.clock);
        }
        found
    }

    fn new_client_secret(&self) -> Result<ClientSecret, EntropyError> {
        ClientSecret::generate(&self.inner.policy, &*self.inner.entropy)
    }

    fn new_client_id(&self) -> Result<ClientId, EntropyError> {
        self.random().map(ClientId::from_random)
    }

    fn new_commit_id(&self) -> Result<CommitId, EntropyError> {
        self.random().map(CommitId::from_bytes)
    }

    fn random(&self) -> Result<[u8; 16], EntropyError> {
        let mut bytes = [0; 16];
        self.inner.entropy.fill(&mut bytes).map(|()| bytes)
    }
}

impl<S> Clone for Registry<S> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<S: Store> std::fmt::Debug for Registry<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").field("store", &self.inner.store).finish_non_exhaustive()
    }
}

/// How often a thing is decided anew when others change it in between.
const ATTEMPTS: usize = 16;
/// How often a commit is sent before its outcome counts as not known.
const SENDS: usize = 3;
