//! `Protection`: between the registry and a store that is not trusted. Records are sealed before they are written and opened when
//! they are read, under keys whose state is refreshed.
//!
//! Every record must come through [`Protection::load_and_open_if`]: one that is read past it may be older than what this node
//! saw.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, ClockReading};
use crate::entropy::Entropy;
use crate::record::{
    KeyState, Keyring, ORDINARY_RECORD, Opened, Record, RecordId, RegistryRecord, ResealError, Sealing,
    SealingError, missing_key,
};
use crate::registry::seen::Seen;
use crate::registry::{Error, Registry};
use crate::store::{Commit, Store};
use crate::store_error::{StoreError, StoreErrorKind, tampered};
use crate::value::Revision;

/// The keyring of a registry, with what this node knows of the store.
pub(super) struct Protection {
    pub(super) sealing: Sealing,
    keys: Mutex<Keys>,
    refresh: Duration,
    seen: Seen,
}

/// The state of the keys, and when the store was last asked for it.
struct Keys {
    record: RegistryRecord,
    /// `None` after everything was forgotten.
    asked: Option<ClockReading>,
}

impl Protection {
    pub(super) fn new(
        keyring: Keyring,
        record: RegistryRecord,
        clock: &dyn Clock,
        refresh: Duration,
    ) -> Self {
        let sealing = Sealing { keyring, registry_id: record.registry_id };
        let keys = Mutex::new(Keys { record, asked: Some(ClockReading::of(clock)) });
        Self { sealing, keys, refresh, seen: Seen::new() }
    }

    /// Loads the client of an ID. Its record is known to be what was written, and is neither older than the one that was seen nor
    /// another record of the same revision.
    pub(super) async fn load<S: Store>(
        &self,
        store: &S,
        id: RecordId<'_>,
    ) -> Result<Option<Opened>, StoreError> {
        Ok(self.load_with_record(store, id).await?.map(|(_, opened)| opened))
    }

    /// Loads the client of an ID with the record that it was opened from.
    pub(super) async fn load_with_record<S: Store>(
        &self,
        store: &S,
        id: RecordId<'_>,
    ) -> Result<Option<(Record, Opened)>, StoreError> {
        let loaded = self.load_and_open_if(store, id, |_| true).await?;
        Ok(loaded.and_then(|(record, opened)| Some((record, opened?))))
    }

    /// Loads the client of an ID if its material is wanted. A record that is not wanted is authenticated and compared with what was
    /// seen, and nothing else of it is read.
    pub(super) async fn load_if<S: Store>(
        &self,
        store: &S,
        id: RecordId<'_>,
        is_wanted: impl FnOnce(&[u8]) -> bool,
    ) -> Result<Option<Opened>, StoreError> {
        Ok(self.load_and_open_if(store, id, is_wanted).await?.and_then(|(_, opened)| opened))
    }

    async fn load_and_open_if<S: Store>(
        &self,
        store: &S,
        id: RecordId<'_>,
        is_wanted: impl FnOnce(&[u8]) -> bool,
    ) -> Result<Option<(Record, Option<Opened>)>, StoreError> {
        // Read before the store is asked: a commit while the store answers does not make that answer a rollback.
        let (seen, generation) = (self.seen.of(id), self.seen.generation());
        let record = store.load(id).await?;
        if record.as_ref().map(Record::revision).unwrap_or_default() < seen {
            return Err(StoreError::new(StoreErrorKind::RolledBack));
        }
        let Some(record) = record else {
            return Ok(None);
        };
        let (head, opened) = self.sealing.open_if(id, record.sealed()?, is_wanted)?;
        // Not if everything was forgotten in between.
        if self.seen.generation() == generation && !self.seen.note(id, record.revision(), head) {
            let why = "another record of the same revision was seen before";
            return Err(StoreError::with_source(StoreErrorKind::RolledBack, why));
        }
        Ok(Some((record, opened)))
    }

    /// Seals a record anew under the primary key.
    pub(super) fn reseal(&self, record: &Record, entropy: &dyn Entropy) -> Result<Record, ResealError> {
        let sealed = record.sealed().map_err(ResealError::Store)?;
        self.sealing.reseal(sealed, entropy).map(Record::from)
    }

    /// Forgets the revisions that were seen, also of the registry's own record, after the store was rightly set back.
    pub(super) fn forget(&self) {
        self.seen.clear();
        let mut keys = self.keys();
        keys.record.revision = Revision::ZERO;
        keys.asked = None;
    }

    /// Notes the records of a commit that was made.
    pub(super) fn made(&self, commit: &Commit) {
        for change in commit.changes() {
            if let Some(last) = change.events().last() {
                self.seen.made(change.id(), change.record().revision(), last.hash());
            }
        }
    }

    pub(super) fn seal(&self, opened: &Opened, entropy: &dyn Entropy) -> Result<Record, SealingError> {
        self.sealing.seal(opened, entropy).map(Record::from)
    }

    /// The state of the keys, as far as this node knows.
    pub(super) fn known(&self) -> RegistryRecord {
        self.keys().record.clone()
    }

    /// Asks the store for the state of the keys.
    pub(super) async fn refresh<S: Store>(
        &self,
        store: &S,
        clock: &dyn Clock,
    ) -> Result<RegistryRecord, StoreError> {
        let asked = ClockReading::of(clock);
        let known = self.known();
        let record = store.load(RecordId::REGISTRY).await?;
        let record = record.ok_or_else(|| StoreError::new(StoreErrorKind::RolledBack))?;
        let sealed = record.sealed()?;
        let read = RegistryRecord::read(sealed)?;
        if read.registry_id != known.registry_id {
            return Err(tampered("the record of the registry is one of another registry"));
        }
        if read.revision < known.revision {
            return Err(StoreError::new(StoreErrorKind::RolledBack));
        }
        read.authenticate(sealed, &self.sealing.keyring)?;
        let mut keys = self.keys();
        if keys.record.revision <= read.revision {
            *keys = Keys { record: read.clone(), asked: Some(asked) };
        }
        Ok(read)
    }

    /// The state of the keys, at most as old as `refresh`.
    async fn current<S: Store>(&self, store: &S, clock: &dyn Clock) -> Result<RegistryRecord, StoreError> {
        let known = {
            let keys = self.keys();
            let is_known = keys.asked.is_some_and(|asked| asked.age(clock) < self.refresh);
            is_known.then(|| keys.record.clone())
        };
        match known {
            Some(known) => Ok(known),
            None => self.refresh(store, clock).await,
        }
    }

    /// A panic while this was locked left one of two whole states.
    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The part of a record that a change may fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// All but the last 4 KiB.
    Ordinary,
    /// All of it.
    Whole,
}

impl<S: Store> Registry<S> {
    /// Refuses to write where the primary key was retired.
    pub(super) async fn ensure_may_write(&self) -> Result<(), Error> {
        let Some(protection) = &self.inner.protection else {
            return Ok(());
        };
        let primary = protection.sealing.keyring.primary();
        let record = protection.current(&self.inner.store, &*self.inner.clock).await?;
        match record.state(primary) {
            Some(KeyState::Active) => Ok(()),
            Some(KeyState::Retired) => Err(Error::KeyRetired { key_id: primary.clone() }),
            None => Err(missing_key(primary).into()),
        }
    }

    /// Seals a client as the store is to keep it.
    ///
    /// A change that is no emergency and takes no secret away leaves the last 4 KiB to those that do, so that a full record can
    /// still be acted upon. Where an older version has filled them already, the record may not become larger than `before`.
    pub(super) fn protect(
        &self,
        opened: &Opened,
        room: Room,
        before: Option<&Opened>,
    ) -> Result<Record, Error> {
        let Some(protection) = &self.inner.protection else {
            return Ok(Record::live(opened.clone()));
        };
        let record = protection.seal(opened, &*self.inner.entropy)?;
        if room == Room::Ordinary
            && record.sealed()?.parts().size() > ORDINARY_RECORD
            && before.is_none_or(|before| opened.kept_size() > before.kept_size())
        {
            return Err(Error::TooLarge);
        }
        Ok(record)
    }
}

/// Returns the live client of an ID from what the store answered, where records are not sealed.
#[inline]
pub(super) fn live(
    id: RecordId<'_>,
    found: Result<Option<Record>, StoreError>,
) -> Result<Option<Opened>, StoreError> {
    let Some(record) = found? else { return Ok(None) };
    match record.into_live() {
        Ok(opened) if id.is_of(opened.client_id()) => Ok(Some(opened)),
        Ok(_) => Err(tampered("the record of one client stands under the ID of another")),
        Err(_) => Err(StoreError::with_source(
            StoreErrorKind::MissingKey,
            "the registry was opened without a keyring",
        )),
    }
}

impl From<ResealError> for StoreError {
    fn from(error: ResealError) -> Self {
        match error {
            ResealError::Store(error) => error,
            ResealError::Sealing(SealingError::Entropy(error)) => {
                Self::with_source(StoreErrorKind::Unavailable, error)
            }
            ResealError::Sealing(SealingError::TooLarge) => Self::with_source(
                StoreErrorKind::Corrupt,
                "under the longer key ID it would be larger than a record may be: dissociate add-ins, or use a shorter key ID",
            ),
        }
    }
}

impl From<SealingError> for Error {
    fn from(error: SealingError) -> Self {
        match error {
            SealingError::Entropy(error) => error.into(),
            SealingError::TooLarge => Self::TooLarge,
        }
    }
}
