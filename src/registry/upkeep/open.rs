//! Opening the registry that lives in a store.
//!
//! Every open checks, before anything is written, which registry the store holds and whether the keyring is its own: a wrong
//! or changed key, another registry's database, an unfinished import and a retired primary key are refused. In an empty store
//! a registry is made.

use std::fmt;
use std::time::Duration;

use crate::entropy::{Entropy, EntropyError};
use crate::record::{KeyState, Keyring, Record, RecordId, RegistryId, RegistryRecord, SealingError};
use crate::registry::{ATTEMPTS, SENDS};
use crate::store::{ClientsBy, Commit, CommitError, CommitId, Expected, Index, RecordChange, Store};
use crate::store_error::{StoreError, StoreErrorKind, with_sources};
use crate::value::KeyId;
use crate::value::coded::coded;

/// The reason why a registry was not opened. Nothing was written, unless the store failed while it wrote the registry's own
/// record.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The keyring has a key of this ID, but not the one that the registry was written with: the bytes of the key were changed,
    /// or the store holds another registry. Use the keyring that belongs to the store.
    #[error(
        "key {key_id} of the keyring is not the key of this ID that the store was written with: use the keyring that belongs to this store, or check the address of the store"
    )]
    WrongKey {
        /// The key's ID.
        key_id: KeyId,
    },
    /// The registry has records that are sealed under a key that the keyring lacks. Add the key to the keyring.
    #[error("the keyring lacks key {key_id}, under which records are sealed: add the key to the keyring")]
    MissingKey {
        /// The key's ID.
        key_id: KeyId,
    },
    /// The primary key of the keyring was [retired](crate::Registry::retire_key) in this registry. Put an active key first in
    /// the keyring.
    #[error(
        "key {key_id}, the primary key of the keyring, was retired: put an active key first in the keyring"
    )]
    RetiredKey {
        /// The key's ID.
        key_id: KeyId,
    },
    /// The store has clients, but lacks the record of the registry that they belong to. Restore the store from a backup.
    #[error("the store has clients but no record of their registry: restore it from a backup")]
    NoRegistry,
    /// The store does not hold the [expected](crate::RegistryBuilder::expect_registry) registry: it holds another one, or none.
    /// Check the address of the store.
    #[error("the store does not hold registry {expected}: {}", found_in_words(found.as_ref()))]
    OtherRegistry {
        /// The registry that was expected.
        expected: RegistryId,
        /// The registry that the store holds; `None` if it holds none.
        found: Option<RegistryId>,
    },
    /// An import into this store was interrupted. Run the same import again: it goes on where it stopped.
    #[error("an import into this store was interrupted: run it again, and it goes on where it stopped")]
    ImportUnfinished,
    /// Other nodes changed the registry's own record at the same moment, at each attempt. Open the registry again.
    #[error("other nodes changed the registry's own record at every attempt to open it: try again")]
    Contention,
    /// The freshness is between zero and 100 milliseconds. No store reliably answers that fast, and an answer that comes too
    /// late authenticates nobody. Use zero, or 100 milliseconds or more.
    #[error(
        "a freshness of {freshness:?} is too short: make it at least 100 milliseconds, or zero to ask the store every time"
    )]
    FreshnessTooShort {
        /// The configured freshness.
        freshness: Duration,
    },
    /// The source of randomness failed. Open the registry again.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The store did not answer, or what it holds cannot be used. The [kind](StoreError::kind) of the error says what to do.
    #[error(transparent)]
    Store(#[from] StoreError),
}

coded! {
    /// It is `Unavailable` for every variant, since there is no registry to ask.
    OpenError {
        Self::WrongKey { .. } => Unavailable "wrong_key",
        Self::MissingKey { .. } => Unavailable "missing_key",
        Self::RetiredKey { .. } => Unavailable "key_retired",
        Self::NoRegistry => Unavailable "no_registry",
        Self::OtherRegistry { .. } => Unavailable "other_registry",
        Self::ImportUnfinished => Unavailable "import_unfinished",
        Self::Contention => Unavailable "contention",
        Self::FreshnessTooShort { .. } => Unavailable "freshness_too_short",
        Self::Store(_) => Unavailable "unavailable",
        ;
        Self::Entropy(error) => error,
    }
}

/// Prints the code and the words: a `main` that returns the error prints this, and an administrator reads it.
impl fmt::Debug for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenError({}): {}", self.code(), with_sources(self))
    }
}

/// Returns the record of the registry in a store, once the keyring is known to be the right one. Makes it in an empty store,
/// and adds the keys that are new.
pub(in crate::registry) async fn open<S: Store>(
    store: &S,
    keyring: &Keyring,
    expected_id: Option<&RegistryId>,
    entropy: &dyn Entropy,
) -> Result<RegistryRecord, OpenError> {
    for _ in 0..ATTEMPTS {
        let (expected, next) = match store.load(RecordId::REGISTRY).await? {
            None => {
                if !store.clients(ClientsBy::All, None, 1).await?.is_empty() {
                    return Err(OpenError::NoRegistry);
                }
                if let Some(expected) = expected_id {
                    return Err(OpenError::OtherRegistry { expected: expected.clone(), found: None });
                }
                let mut registry_id = [0; 16];
                entropy.fill(&mut registry_id)?;
                (Expected::Absent, RegistryRecord::new(registry_id, keyring))
            }
            Some(found) => {
                let read = check(&found, keyring)?;
                read.is_expected(expected_id)?;
                // A key that the registry knows may be missing if no record is sealed under it.
                for key_id in read.active_and_not_in(keyring) {
                    if !store.clients(ClientsBy::Key(key_id), None, 1).await?.is_empty() {
                        return Err(OpenError::MissingKey { key_id: key_id.clone() });
                    }
                }
                match read.knowing(keyring) {
                    None => return Ok(read),
                    Some(next) => (Expected::Exactly(read.revision), next),
                }
            }
        };
        let is_new = expected == Expected::Absent;
        if write(store, &next, expected, keyring, entropy).await? {
            if is_new {
                let registry = RegistryId::from_bytes(next.registry_id).to_string();
                tracing::warn!(registry, "a new registry was made in an empty store");
            }
            return Ok(next);
        }
    }
    Err(OpenError::Contention)
}

impl RegistryRecord {
    /// Refuses a registry other than the expected one.
    pub(in crate::registry) fn is_expected(&self, expected: Option<&RegistryId>) -> Result<(), OpenError> {
        let id = RegistryId::from_bytes(self.registry_id);
        match expected.filter(|expected| **expected != id) {
            None => Ok(()),
            Some(expected) => Err(OpenError::OtherRegistry { expected: expected.clone(), found: Some(id) }),
        }
    }
}

fn found_in_words(found: Option<&RegistryId>) -> String {
    match found {
        Some(found) => format!("it holds registry {found}, so open the right store"),
        None => "it holds none, so restore it or open the right store".to_owned(),
    }
}

/// Reads the record of the registry, if the keyring is the registry's.
pub(in crate::registry) fn check(found: &Record, keyring: &Keyring) -> Result<RegistryRecord, OpenError> {
    let sealed = found.sealed()?;
    let read = RegistryRecord::read(sealed)?;
    if let Some(key_id) = read.differs_in(keyring) {
        return Err(OpenError::WrongKey { key_id: key_id.clone() });
    }
    if keyring.key(sealed.key_id()).is_none() {
        return Err(OpenError::MissingKey { key_id: sealed.key_id().clone() });
    }
    read.authenticate(sealed, keyring)?;
    if read.is_importing() {
        return Err(OpenError::ImportUnfinished);
    }
    match read.state(keyring.primary()) {
        Some(KeyState::Retired) => Err(OpenError::RetiredKey { key_id: keyring.primary().clone() }),
        Some(KeyState::Active) | None => Ok(read),
    }
}

/// Writes the next record of the registry. Returns `false` when another node has written another one.
pub(in crate::registry) async fn write<S: Store>(
    store: &S,
    next: &RegistryRecord,
    expected: Expected,
    keyring: &Keyring,
    entropy: &dyn Entropy,
) -> Result<bool, OpenError> {
    let sealed = next.seal(keyring, entropy)?;
    let record = Record::from(sealed);
    let index = Index { key_id: record.key_id().cloned(), ..Index::default() };
    let mut id = [0; 16];
    entropy.fill(&mut id)?;
    let commit = Commit::new(CommitId::from_bytes(id), vec![RecordChange::new(record, expected, index, &[])]);
    let mut last = StoreError::new(StoreErrorKind::InDoubt);
    for _ in 0..SENDS {
        match store.commit(&commit).await {
            Ok(()) => return Ok(true),
            // After a failed attempt this may be its own trace. The caller looks again and sees the same keys.
            Err(CommitError::Conflict { .. } | CommitError::Taken { .. }) => return Ok(false),
            Err(CommitError::NotWritten(error)) => return Err(error.into()),
            Err(CommitError::Failed(error)) => last = error,
        }
    }
    Err(last.into())
}

impl From<SealingError> for OpenError {
    fn from(error: SealingError) -> Self {
        match error {
            SealingError::Entropy(error) => Self::Entropy(error),
            SealingError::TooLarge => Self::Store(StoreError::with_source(
                StoreErrorKind::Corrupt,
                "the registry knows too many keys",
            )),
        }
    }
}
