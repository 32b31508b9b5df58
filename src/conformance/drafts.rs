//! Commits for tests of a store's own.

use std::fmt;

use crate::conformance::author::{Author, Step};
use crate::conformance::stop::Stop;
use crate::record::Record;
use crate::store::{Adopted, Commit, Expected, Index, RecordChange};
use crate::value::{ClientId, KeyId, SecretId};

/// Makes commits for tests of a store's own: of real clients, decided by the core and sealed under real keys.
///
/// The same calls make the same clients in every run. Each change is made from the one before, so a test can hold on to any of
/// them and write them in whatever order it likes.
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

/// A change of one client, to be committed or adopted.
#[derive(Clone)]
pub struct Draft(Step);

/// A draft that cannot be made: a name or an ID that is not one, or a change that changes nothing.
#[derive(Debug, thiserror::Error)]
#[error("the draft cannot be made: {0}")]
pub struct DraftError(String);

impl Drafts {
    /// Drafts under two keys, of which the first one protects what is not [resealed](Self::reseal).
    ///
    /// # Errors
    /// None that is the caller's.
    pub fn new() -> Result<Self, DraftError> {
        Ok(Self(Author::new()?))
    }

    /// The key that records are under unless they were resealed.
    #[must_use]
    pub fn first_key(&self) -> &KeyId {
        self.0.old_key()
    }

    /// The key that records are resealed under.
    #[must_use]
    pub fn second_key(&self) -> &KeyId {
        self.0.new_key()
    }

    /// A new client of a seller, with a friendly name and one secret that ends in a year.
    ///
    /// # Errors
    /// [`DraftError`] when one of the texts is not what it should be, as in all that follows.
    pub fn register(&self, seller: &str, name: &str) -> Result<Draft, DraftError> {
        Ok(Draft(self.0.register(seller, name)?))
    }

    /// The same under a client ID of one's own.
    ///
    /// # Errors
    /// [`DraftError`]
    pub fn register_as(&self, id: &ClientId, seller: &str, name: &str) -> Result<Draft, DraftError> {
        Ok(Draft(self.0.register_as(id, seller, name)?))
    }

    /// The client under another friendly name.
    ///
    /// # Errors
    /// [`DraftError`]
    pub fn rename(&self, last: &Draft, name: &str) -> Result<Draft, DraftError> {
        Ok(Draft(self.0.rename(&last.0, name)?))
    }

    /// The client with one add-in more.
    ///
    /// # Errors
    /// [`DraftError`]
    pub fn associate(&self, last: &Draft, add_in: &str) -> Result<Draft, DraftError> {
        Ok(Draft(self.0.associate(&last.0, add_in)?))
    }

    /// The client without an add-in.
    ///
    /// # Errors
    /// [`DraftError`]
    pub fn dissociate(&self, last: &Draft, add_in: &str) -> Result<Draft, DraftError> {
        Ok(Draft(self.0.dissociate(&last.0, add_in)?))
    }

    /// Two clients, of which the first one gives an add-in to the second one: to be written in one commit.
    ///
    /// # Errors
    /// [`DraftError`]
    pub fn move_add_in(&self, from: &Draft, to: &Draft, add_in: &str) -> Result<[Draft; 2], DraftError> {
        Ok(self.0.moved(&from.0, &to.0, add_in)?.map(Draft))
    }

    /// The client with one secret more, which ends in so many days.
    ///
    /// # Errors
    /// [`DraftError`]
    pub fn add_secret(&self, last: &Draft, days: u32) -> Result<Draft, DraftError> {
        Ok(Draft(self.0.add_secret(&last.0, days)?))
    }

    /// The client without a secret, which is deleted as in an emergency.
    ///
    /// # Errors
    /// [`DraftError`]
    pub fn delete_secret(&self, last: &Draft, secret: SecretId) -> Result<Draft, DraftError> {
        Ok(Draft(self.0.delete_secret(&last.0, secret)?))
    }

    /// What is left of the client after it was deleted.
    ///
    /// # Errors
    /// [`DraftError`]
    pub fn delete(&self, last: &Draft) -> Result<Draft, DraftError> {
        Ok(Draft(self.0.delete(&last.0)?))
    }

    /// The same record under the second key: its revision stays, and it has no events.
    ///
    /// # Errors
    /// [`DraftError`]
    pub fn reseal(&self, last: &Draft) -> Result<Draft, DraftError> {
        Ok(Draft(self.0.reseal(&last.0)?))
    }

    /// A commit of one or two of them, under an ID of its own.
    ///
    /// # Errors
    /// None that is the caller's.
    pub fn commit<'a>(&self, drafts: impl IntoIterator<Item = &'a Draft>) -> Result<Commit, DraftError> {
        Ok(self.0.commit(drafts.into_iter().map(|draft| &draft.0))?)
    }

    /// A client that moves in, after all these changes of it.
    ///
    /// # Errors
    /// [`DraftError`] when there is not one.
    pub fn adopted<'a>(&self, drafts: impl IntoIterator<Item = &'a Draft>) -> Result<Adopted, DraftError> {
        Ok(self.0.adopted(drafts.into_iter().map(|draft| &draft.0))?)
    }
}

impl Draft {
    /// The client.
    #[must_use]
    pub fn client_id(&self) -> &ClientId {
        self.0.id()
    }

    /// The record that it leads to.
    #[must_use]
    pub fn record(&self) -> &Record {
        self.0.record()
    }

    /// All that a commit has of it: record, expectation, index and events.
    #[must_use]
    pub fn change(&self) -> &RecordChange {
        self.0.change()
    }

    /// The same change, expecting something else.
    #[must_use]
    pub fn expecting(&self, expected: Expected) -> Self {
        Self(self.0.expecting(expected))
    }

    /// The same change, found by something else. Only the registry, which does not trust a store, would mind.
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
