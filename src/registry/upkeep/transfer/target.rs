//! The store that an import fills: it is marked as being filled from the first record to the last, and does not open meanwhile.

use crate::entropy::Entropy;
use crate::record::{Keyring, Record, RecordId, RegistryRecord};
use crate::registry::ATTEMPTS;
use crate::registry::upkeep::open::{OpenError, write};
use crate::registry::upkeep::transfer::error::ImportError;
use crate::store::{ClientsBy, Commit, CommitError, CommitId, Expected, Index, RecordChange, Store};
use crate::store_error::StoreError;
use crate::value::ClientId;

/// Makes sure that the store is this registry's, and that it does not open before the import is whole.
pub(super) async fn begin<S: Store>(
    store: &S,
    read: &RegistryRecord,
    keyring: &Keyring,
    entropy: &dyn Entropy,
) -> Result<(), ImportError> {
    for _ in 0..ATTEMPTS {
        if let Some(found) = found(store, read).await? {
            found.authenticate(keyring)?;
            return Ok(());
        }
        if !store.clients(ClientsBy::All, None, 1).await?.is_empty() {
            return Err(OpenError::NoRegistry.into());
        }
        if write(store, &read.importing(), Expected::Absent, keyring, entropy).await? {
            return Ok(());
        }
    }
    Err(OpenError::Contention.into())
}

/// Writes the record of the registry. With it the import is whole, and the store opens.
pub(super) async fn finish<S: Store>(
    store: &S,
    record: Record,
    read: &RegistryRecord,
) -> Result<(), ImportError> {
    match found(store, read).await? {
        // An earlier import was whole.
        Some(found) if !found.read.is_importing() => return Ok(()),
        Some(_) => {}
        None => return Err(ImportError::OtherRegistry),
    }
    let index = Index { key_id: record.key_id().cloned(), ..Index::default() };
    // The same import always sends the same commit.
    let id = CommitId::from_bytes(read.registry_id);
    let expected = Expected::Exactly(read.importing().revision);
    let commit = Commit::new(id, vec![RecordChange::new(record, expected, index, &[])]);
    match store.commit(&commit).await {
        // Another process has finished the same import.
        Ok(()) | Err(CommitError::Conflict { .. }) => Ok(()),
        Err(error) => Err(refused(error)),
    }
}

/// The record of the registry in a store.
struct Found {
    record: Record,
    read: RegistryRecord,
}

impl Found {
    fn authenticate(&self, keyring: &Keyring) -> Result<(), StoreError> {
        self.read.authenticate(self.record.sealed()?, keyring)
    }
}

async fn found<S: Store>(store: &S, expected: &RegistryRecord) -> Result<Option<Found>, ImportError> {
    let Some(record) = store.load(RecordId::REGISTRY).await? else {
        return Ok(None);
    };
    let read = RegistryRecord::read(record.sealed()?)?;
    if read.registry_id != expected.registry_id {
        return Err(ImportError::OtherRegistry);
    }
    Ok(Some(Found { record, read }))
}

pub(super) fn refused(error: CommitError) -> ImportError {
    match error {
        CommitError::Conflict { record_id, .. } => match ClientId::stored(&record_id) {
            Ok(client_id) => ImportError::Differs { client_id },
            Err(_) => ImportError::OtherRegistry,
        },
        CommitError::Taken { by, .. } => ImportError::Differs { client_id: by },
        CommitError::NotWritten(error) | CommitError::Failed(error) => ImportError::Store(error),
    }
}
