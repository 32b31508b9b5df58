//! The shell: the only place where core, keyring, clock, entropy and store meet.
//!
//! Every command goes the same way: load the client, let the core decide, commit what it decided; if somebody else was
//! faster, look again and decide anew, a fixed number of times. No rule is decided here.

mod builder;
mod error;
mod manage;
mod protection;
mod seen;
mod serve;
mod snapshot;
mod unreadable;
mod upkeep;

use std::sync::Arc;

pub use self::builder::RegistryBuilder;
pub use self::error::{ConfirmError, Error, Resolution, Unresolved};
pub use self::manage::client_handle::{ClientHandle, EmergencyDeletion};
pub use self::manage::operator::Operator;
pub use self::manage::report::ReportPage;
pub use self::manage::seller::Seller;
pub use self::serve::access::{AccessError, Authenticated, Denied, Reason};
pub use self::serve::cache::Freshness;
pub use self::serve::follow::Follower;
pub use self::serve::signatures::{SignError, Verified};
pub use self::snapshot::{ClientPage, Snapshot};
pub use self::unreadable::Unreadable;
pub use self::upkeep::check::{CheckReport, Discrepancy, DiscrepancyKind, Lookup};
pub use self::upkeep::keys::{KeyStatus, RetireError};
pub use self::upkeep::open::OpenError;
pub use self::upkeep::reseal::{Resealed, Resealing};
pub use self::upkeep::transfer::{ExportError, ExportSummary, ImportError, ImportSummary};

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
/// Cheap to clone; clones are the same registry. Everything takes `&self` and may be called from any thread or task.
pub struct Registry<S = MemoryStore> {
    inner: Arc<Inner<S>>,
}

struct Inner<S> {
    store: S,
    policy: Policy,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    uses: LastUseBuffer,
    alarms: Alarms,
    /// There is none where records are live clients in this process's memory.
    protection: Option<Protection>,
    /// The same.
    cache: Option<Cache>,
}

/// Whether a command changed anything: most can be given twice, and the second time nothing changes. Not so
/// [`ClientHandle::confirm`] and [`ClientHandle::withdraw_promotion`], which find nothing the second time and say so by an
/// error.
///
/// Exhaustive on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Something is different now.
    Changed,
    /// Everything was as it should be already.
    Unchanged,
}

impl Registry {
    /// A registry in this process's memory, with the system's clock and randomness and the default policy.
    ///
    /// ```
    /// let registry = client_registry::Registry::in_memory();
    /// ```
    #[must_use]
    pub fn in_memory() -> Self {
        Self::builder().in_memory()
    }

    /// A registry with a clock, randomness, or a policy of one's own.
    pub fn builder() -> RegistryBuilder {
        RegistryBuilder::default()
    }
}

impl<S: Store> Registry<S> {
    /// The registry that lives in a store, with the system's clock and randomness and the default policy. In an empty store
    /// it is made. Every key of the keyring is known to the registry from then on, by its ID and as the key that it is; those
    /// that something is under have to be in the keyring.
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
    /// [`OpenError`] when the keyring is not the registry's, or the store does not answer as it should.
    pub async fn open(store: S, keyring: Keyring) -> Result<Self, OpenError> {
        RegistryBuilder::default().open(store, keyring).await
    }

    /// The registry as a seller sees it: its own client IDs, and no others (rule 15). The application has
    /// authenticated the seller.
    ///
    /// # Errors
    /// [`InvalidValue`] when the text is not a seller's ID.
    pub fn as_seller(&self, seller: impl AsRef<str>) -> Result<Seller<S>, InvalidValue> {
        let seller = SellerId::parse(seller.as_ref())?;
        refuse_secret(Field::SellerId, seller.as_str())?;
        Ok(Seller::new(self.clone(), Actor::Seller(seller.clone()), seller))
    }

    /// The registry as an operator sees it: every client ID. The application has authenticated the operator.
    ///
    /// # Errors
    /// [`InvalidValue`] when the text is not an operator's ID.
    pub fn as_operator(&self, operator: impl AsRef<str>) -> Result<Operator<S>, InvalidValue> {
        let operator = OperatorId::parse(operator.as_ref())?;
        refuse_secret(Field::OperatorId, operator.as_str())?;
        Ok(Operator::new(self.clone(), Actor::Operator(operator)))
    }

    /// Which registry it is; `None` in memory, where there is no other. See
    /// [`RegistryBuilder::expect_registry`](crate::RegistryBuilder::expect_registry).
    #[must_use]
    pub fn id(&self) -> Option<RegistryId> {
        let protection = self.inner.protection.as_ref()?;
        Some(RegistryId::from_bytes(protection.sealing.registry_id))
    }

    /// What commands are decided by.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.inner.policy
    }

    /// Where the records live.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.inner.store
    }

    /// Writes the last uses that were noted since the last time to the store.
    ///
    /// [`keep_fresh`](Self::keep_fresh) does so at least once a minute. A node that does not follow the feed leaves it to the
    /// application: say once a minute. Before the process ends it is always up to the application, since what was not
    /// written is lost, and a plan after the restart does not know of it (rule 9). Plans of this registry know of every use at
    /// once, plans of other nodes know of those that were written.
    ///
    /// # Errors
    /// [`StoreError`]; what was not written is kept for the next time.
    pub async fn flush_last_uses(&self) -> Result<(), StoreError> {
        self.inner.uses.flush(&self.inner.store, &*self.inner.clock).await
    }

    fn now(&self) -> Timestamp {
        self.inner.clock.wall()
    }

    /// The client as the store has it.
    async fn load(&self, client_id: &ClientId) -> Result<Option<Opened>, StoreError> {
        self.load_record(client_id.into()).await
    }

    /// The client, at most as stale as was promised: for what authenticates, signs and verifies.
    #[inline]
    async fn recall(&self, id: RecordId<'_>) -> Result<Option<Opened>, StoreError> {
        match &self.inner.cache {
            None => self.load_record(id).await,
            Some(cache) => {
                cache.get(id, &*self.inner.clock, || self.clone().load_for_all(id.as_str().to_owned())).await
            }
        }
    }

    /// The same for all who wait for it, whichever of them goes away.
    async fn load_for_all(self, id: String) -> Result<Option<Opened>, StoreError> {
        self.load_record(RecordId::parse(&id)?).await
    }

    #[inline]
    async fn load_record(&self, id: RecordId<'_>) -> Result<Option<Opened>, StoreError> {
        let found = match &self.inner.protection {
            None => protection::load_live(&self.inner.store, id).await,
            Some(protection) => protection.load(&self.inner.store, id).await,
        };
        self.alarmed(id, found)
    }

    /// The record of a client as the store has it, with the client that it was opened to. Of kind
    /// [`StoreErrorKind::NotSealed`] where records are live clients.
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
