//! Commits for a store's own tests.

use std::fmt;

use crate::conformance::author::{Author, Step};
use crate::conformance::stop::Stop;
use crate::record::Record;
use crate::store::{Adopted, Commit, Expected, Index, RecordChange};
use crate::value::{ClientId, KeyId, SecretId};

/// Makes commits for a store's own tests: changes of real clients, decided by the core and sealed under real keys.
///
/// The same calls make the same clients in every run. Each change is made from an earlier one, so a test can keep them and write
/// them in any order.
///
/// ```
/// use client_registry::conformance::Drafts;
/// use client_registry::store::{CommitError, MemoryStore, Store};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # pollster::block_on(async {
/// let (store, drafts) = (MemoryStore::new(), Drafts::new()?);
/// let first = drafts.register("contoso", "calendar app")?;
/// let second = drafts.associate(&first, "calendar")?;
/// store.commit(&drafts.commit([&first])?).await?;
/// store.commit(&drafts.commit([&second])?).await?;
/// let late = store.commit(&drafts.commit([&drafts.rename(&first, "agenda")?])?).await;
/// assert!(matches!(late, Err(CommitError::Conflict { .. })));
/// # Ok(())
/// # })
/// # }
/// ```
pub struct Drafts(Author);

/// A change of one client that can be committed or adopted.
#[derive(Clone)]
pub struct Draft(Step);

/// The error of a draft that cannot be made: a name or an ID is invalid, or the change would change nothing.
#[derive(Debug, thiserror::Error)]
#[error("the draft cannot be made: {0}")]
pub struct DraftError(String);

impl Drafts {
    /// Creates drafts under two keys. The first protects every record that is not [resealed](Self::reseal).
    ///
    /// # Errors
    /// Never in practice: the keys are valid.
    pub fn new() -> Result<Self, DraftError> {
        Ok(Self(Author::new()?))
    }

    /// Returns the key of records that were not resealed.
    #[must_use]
    pub fn first_key(&self) -> &KeyId {
        self.0.old_key()
    }

    /// Returns the key of resealed records.
    #[must_use]
    pub fn second_key(&self) -> &KeyId {
        self.0.new_key()
    }

    /// Registers a client of a seller, with a friendly name and one secret that ends in a year.
    ///
    /// # Errors
    /// [`DraftError`] if the seller or the name is invalid.
    pub fn register(&self, seller: &str, name: &str) -> Result<Draft, DraftError> {
        Ok(Draft(self.0.register(seller, name)?))
    }

    /// Registers a client under a chosen client ID.
    ///
    /// # Errors
    /// [`DraftError`] if the seller or the name is invalid.
    pub fn register_as(&self, id: &ClientId, seller: &str, name: &str) -> Result<Draft, DraftError> {
        Ok(Draft(self.0.register_as(id, seller, name)?))
    }

    /// Changes the friendly name.
    ///
    /// # Errors
    /// [`DraftError`] if the name is invalid, or the client has it already.
    pub fn rename(&self, last: &Draft, name: &str) -> Result<Draft, DraftError> {
        Ok(Draft(self.0.rename(&last.0, name)?))
    }

    /// Associates an add-in with the client.
    ///
    /// # Errors
    /// [`DraftError`] if the add-in ID is invalid, or the client serves the add-in already.
    pub fn associate(&self, last: &Draft, add_in: &str) -> Result<Draft, DraftError> {
        Ok(Draft(self.0.associate(&last.0, add_in)?))
    }

    /// Dissociates an add-in from the client.
    ///
    /// # Errors
    /// [`DraftError`] if the client does not serve the add-in.
    pub fn dissociate(&self, last: &Draft, add_in: &str) -> Result<Draft, DraftError> {
        Ok(Draft(self.0.dissociate(&last.0, add_in)?))
    }

    /// Moves an add-in from one client to another. Both drafts belong into one commit.
    ///
    /// # Errors
    /// [`DraftError`] if the first client does not serve the add-in, or the two belong to different sellers.
    pub fn move_add_in(&self, from: &Draft, to: &Draft, add_in: &str) -> Result<[Draft; 2], DraftError> {
        Ok(self.0.moved(&from.0, &to.0, add_in)?.map(Draft))
    }

    /// Adds a secret that ends in this number of days.
    ///
    /// # Errors
    /// [`DraftError`] if the client has 32 secrets that have not ended.
    pub fn add_secret(&self, last: &Draft, days: u32) -> Result<Draft, DraftError> {
        Ok(Draft(self.0.add_secret(&last.0, days)?))
    }

    /// Deletes a secret in an emergency.
    ///
    /// # Errors
    /// [`DraftError`] if the client has no such secret.
    pub fn delete_secret(&self, last: &Draft, secret: SecretId) -> Result<Draft, DraftError> {
        Ok(Draft(self.0.delete_secret(&last.0, secret)?))
    }

    /// Deletes the client, which leaves a tombstone.
    ///
    /// # Errors
    /// [`DraftError`] if the client was deleted already.
    pub fn delete(&self, last: &Draft) -> Result<Draft, DraftError> {
        Ok(Draft(self.0.delete(&last.0)?))
    }

    /// Reseals the record under the second key. Its revision stays, and the change has no events.
    ///
    /// # Errors
    /// [`DraftError`] if the record cannot be resealed.
    pub fn reseal(&self, last: &Draft) -> Result<Draft, DraftError> {
        Ok(Draft(self.0.reseal(&last.0)?))
    }

    /// Makes a commit of one or two drafts, with a new commit ID.
    ///
    /// # Errors
    /// Never in practice: every draft can be committed.
    pub fn commit<'a>(&self, drafts: impl IntoIterator<Item = &'a Draft>) -> Result<Commit, DraftError> {
        Ok(self.0.commit(drafts.into_iter().map(|draft| &draft.0))?)
    }

    /// Makes a client for adoption, with these changes as its history.
    ///
    /// # Errors
    /// [`DraftError`] if there are no changes.
    pub fn adopted<'a>(&self, drafts: impl IntoIterator<Item = &'a Draft>) -> Result<Adopted, DraftError> {
        Ok(self.0.adopted(drafts.into_iter().map(|draft| &draft.0))?)
    }
}

impl Draft {
    /// Returns the client ID.
    #[must_use]
    pub fn client_id(&self) -> &ClientId {
        self.0.id()
    }

    /// Returns the record after the change.
    #[must_use]
    pub fn record(&self) -> &Record {
        self.0.record()
    }

    /// Returns the change as a commit contains it: record, expectation, index and events.
    #[must_use]
    pub fn change(&self) -> &RecordChange {
        self.0.change()
    }

    /// Returns the same change with another expectation.
    #[must_use]
    pub fn expecting(&self, expected: Expected) -> Self {
        Self(self.0.expecting(expected))
    }

    /// Returns the same change with another index. A store takes it as it is. The registry, which does not trust stores, would
    /// notice.
    #[must_use]
    pub fn found_by(&self, index: Index) -> Self {
        Self(self.0.found_by(index))
    }
}

impl From<Stop> for DraftError {
    fn from(stop: Stop) -> Self {
        Self(stop.to_string())
    }
}

impl fmt::Debug for Drafts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drafts").finish_non_exhaustive()
    }
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft").field("client_id", self.client_id()).finish_non_exhaustive()
    }
}
