//! [`DynStore`], a store that is chosen when the program runs, and the object-safe twin of [`Store`] behind it.
//!
//! The twin is private: each method boxes the future of the method of the same name and adds nothing, so that the
//! contract stands in one place, in [`Store`]. A method that joins the contract joins it here, too.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::{
    Adopted, Changes, ClientsBy, Commit, CommitError, Committed, Cursor, Ending, Store, StoreError, Use,
};
use crate::client::LastUses;
use crate::record::{Record, RecordId};
use crate::value::{AddInId, ClientId, Revision, Timestamp};

type Answer<'a, T, E = StoreError> = Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'a>>;

/// [`Store`] with boxed futures. Implemented for every store.
trait ErasedStore: Any + fmt::Debug + Send + Sync {
    fn load<'a>(&'a self, id: RecordId<'a>) -> Answer<'a, Option<Record>>;
    fn commit<'a>(&'a self, commit: &'a Commit) -> Answer<'a, (), CommitError>;
    fn history<'a>(
        &'a self,
        client_id: &'a ClientId,
        after: Revision,
        limit: usize,
    ) -> Answer<'a, Vec<Committed>>;
    fn clients<'a>(
        &'a self,
        by: ClientsBy<'a>,
        after: Option<&'a ClientId>,
        limit: usize,
    ) -> Answer<'a, Vec<ClientId>>;
    fn client_of<'a>(&'a self, add_in: &'a AddInId) -> Answer<'a, Option<ClientId>>;
    fn ending<'a>(
        &'a self,
        before: Timestamp,
        after: Option<&'a Ending>,
        limit: usize,
    ) -> Answer<'a, Vec<Ending>>;
    fn changes<'a>(&'a self, after: Option<&'a Cursor>, limit: usize) -> Answer<'a, Changes>;
    fn latest(&self) -> Answer<'_, Cursor>;
    fn adopt<'a>(&'a self, clients: &'a [Adopted]) -> Answer<'a, (), CommitError>;
    fn note_uses<'a>(&'a self, uses: &'a [Use], believable_until: Timestamp) -> Answer<'a, ()>;
    fn last_uses<'a>(&'a self, client_id: &'a ClientId) -> Answer<'a, LastUses>;
}

impl<S: Store> ErasedStore for S {
    fn load<'a>(&'a self, id: RecordId<'a>) -> Answer<'a, Option<Record>> {
        Box::pin(Store::load(self, id))
    }

    fn commit<'a>(&'a self, commit: &'a Commit) -> Answer<'a, (), CommitError> {
        Box::pin(Store::commit(self, commit))
    }

    fn history<'a>(
        &'a self,
        client_id: &'a ClientId,
        after: Revision,
        limit: usize,
    ) -> Answer<'a, Vec<Committed>> {
        Box::pin(Store::history(self, client_id, after, limit))
    }

    fn clients<'a>(
        &'a self,
        by: ClientsBy<'a>,
        after: Option<&'a ClientId>,
        limit: usize,
    ) -> Answer<'a, Vec<ClientId>> {
        Box::pin(Store::clients(self, by, after, limit))
    }

    fn client_of<'a>(&'a self, add_in: &'a AddInId) -> Answer<'a, Option<ClientId>> {
        Box::pin(Store::client_of(self, add_in))
    }

    fn ending<'a>(
        &'a self,
        before: Timestamp,
        after: Option<&'a Ending>,
        limit: usize,
    ) -> Answer<'a, Vec<Ending>> {
        Box::pin(Store::ending(self, before, after, limit))
    }

    fn changes<'a>(&'a self, after: Option<&'a Cursor>, limit: usize) -> Answer<'a, Changes> {
        Box::pin(Store::changes(self, after, limit))
    }

    fn latest(&self) -> Answer<'_, Cursor> {
        Box::pin(Store::latest(self))
    }

    fn adopt<'a>(&'a self, clients: &'a [Adopted]) -> Answer<'a, (), CommitError> {
        Box::pin(Store::adopt(self, clients))
    }

    fn note_uses<'a>(&'a self, uses: &'a [Use], believable_until: Timestamp) -> Answer<'a, ()> {
        Box::pin(Store::note_uses(self, uses, believable_until))
    }

    fn last_uses<'a>(&'a self, client_id: &'a ClientId) -> Answer<'a, LastUses> {
        Box::pin(Store::last_uses(self, client_id))
    }
}

/// A store whose kind is chosen when the program runs. It is a [`Store`] itself. Cheap to clone; clones are the same store.
///
/// [`downcast_ref`](Self::downcast_ref) returns the store as its own type, for the methods that only one kind of store has,
/// such as `SqliteStore::backup_to` and `PostgresStore::hints`.
///
/// ```
/// use client_registry::store::{DynStore, MemoryStore};
/// use client_registry::value::KeyId;
/// use client_registry::{Keyring, Registry};
///
/// # pollster::block_on(async {
/// let store = match std::env::var("REGISTRY_STORE") {
///     #[cfg(feature = "sqlite")]
///     Ok(path) => DynStore::new(client_registry::store::SqliteStore::open(path)?),
///     _ => DynStore::new(MemoryStore::new()),
/// };
/// let keyring = Keyring::generate(KeyId::parse("2026")?)?; // for a store that stays: `Keyring::from_env`
/// let registry = Registry::open(store, keyring).await?;
/// # #[cfg(feature = "sqlite")]
/// if let Some(file) = registry.store().downcast_ref::<client_registry::store::SqliteStore>() {
///     file.backup_to("backup.db").await?;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[derive(Debug, Clone)]
pub struct DynStore(Arc<dyn ErasedStore>);

impl DynStore {
    /// Wraps a store. Wrapping a `DynStore` adds a layer, which [`downcast_ref`](Self::downcast_ref) does not look through.
    #[must_use]
    pub fn new(store: impl Store) -> Self {
        Self(Arc::new(store))
    }

    /// Returns the store as the type `S`, or `None` if it is another kind of store.
    ///
    /// ```
    /// # use client_registry::store::{DynStore, MemoryStore};
    /// let store = DynStore::new(MemoryStore::new());
    /// assert!(store.downcast_ref::<MemoryStore>().is_some());
    /// assert!(store.downcast_ref::<DynStore>().is_none());
    /// ```
    #[must_use]
    pub fn downcast_ref<S: Store>(&self) -> Option<&S> {
        let store: &dyn Any = &*self.0;
        store.downcast_ref()
    }
}

impl Store for DynStore {
    async fn load(&self, id: RecordId<'_>) -> Result<Option<Record>, StoreError> {
        ErasedStore::load(&*self.0, id).await
    }

    async fn commit(&self, commit: &Commit) -> Result<(), CommitError> {
        ErasedStore::commit(&*self.0, commit).await
    }

    async fn history(
        &self,
        client_id: &ClientId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<Committed>, StoreError> {
        ErasedStore::history(&*self.0, client_id, after, limit).await
    }

    async fn clients(
        &self,
        by: ClientsBy<'_>,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<Vec<ClientId>, StoreError> {
        ErasedStore::clients(&*self.0, by, after, limit).await
    }

    async fn client_of(&self, add_in: &AddInId) -> Result<Option<ClientId>, StoreError> {
        ErasedStore::client_of(&*self.0, add_in).await
    }

    async fn ending(
        &self,
        before: Timestamp,
        after: Option<&Ending>,
        limit: usize,
    ) -> Result<Vec<Ending>, StoreError> {
        ErasedStore::ending(&*self.0, before, after, limit).await
    }

    async fn changes(&self, after: Option<&Cursor>, limit: usize) -> Result<Changes, StoreError> {
        ErasedStore::changes(&*self.0, after, limit).await
    }

    async fn latest(&self) -> Result<Cursor, StoreError> {
        ErasedStore::latest(&*self.0).await
    }

    async fn adopt(&self, clients: &[Adopted]) -> Result<(), CommitError> {
        ErasedStore::adopt(&*self.0, clients).await
    }

    async fn note_uses(&self, uses: &[Use], believable_until: Timestamp) -> Result<(), StoreError> {
        ErasedStore::note_uses(&*self.0, uses, believable_until).await
    }

    async fn last_uses(&self, client_id: &ClientId) -> Result<LastUses, StoreError> {
        ErasedStore::last_uses(&*self.0, client_id).await
    }
}
