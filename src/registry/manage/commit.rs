//! Committing what was decided, and settling what became of it.
//!
//! An error of a store means that the commit may have been made. So the same commit is sent again: `Ok` and `Conflict` both
//! settle the first attempt. What cannot be settled goes to the caller as [`Unresolved`], with the client secret that may be
//! live. A change here risks a client secret that is live and that nobody has: think of both answers arriving late.

use crate::client::Change;
use crate::event::Fact;
use crate::record::Opened;
use crate::registry::error::{Error, Resolution, Unresolved};
use crate::registry::manage::taken::was_asked_for;
use crate::registry::protection::Room;
use crate::registry::{Registry, SENDS};
use crate::store::{Commit, CommitError, Expected, Index, IndexEntry, RecordChange, Store};
use crate::store_error::{StoreError, StoreErrorKind, tampered, with_sources};
use crate::value::{ClientId, Revision};

/// How hard a command is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::registry) enum Effort {
    /// A fixed number of times, in its turn.
    Ordinary,
    /// Before other commits where the store lets them wait, and until a deadline however often others change the client.
    Emergency,
}

/// The reason why a commit was not made and the command may be decided anew.
pub(in crate::registry) enum Lost {
    /// Another caller was faster.
    Conflict,
    /// Another client has a name or an add-in that the commit would have taken.
    Taken { entry: IndexEntry, by: ClientId },
}

/// What became of a commit that was sent.
enum Sent {
    Made,
    /// The commit was not made, and can no longer be.
    Lost(Lost),
    /// It was not made, and no attempt is under way.
    NotWritten(StoreError),
    /// It may have been made, or may yet be.
    InDoubt(StoreError),
}

impl<S: Store> Registry<S> {
    /// Settles a change whose outcome is not known, by sending the same commit again. Any node with the same store can do it,
    /// unless the primary key of its keyring was retired.
    ///
    /// A dropped call loses the client secret that may be live: nobody has it then. The docs of the command that is to be
    /// settled say what to do in that case; [`ClientHandle`](crate::ClientHandle#callers-that-go-away) says how to keep a call
    /// from being dropped.
    ///
    /// ```
    /// # use client_registry::*;
    /// # use client_registry::registry::Resolution;
    /// # async fn example(registry: Registry, contoso: Seller, details: ClientDetails) -> Result<(), Error> {
    /// match contoso.register(details, Lifetime::OneYear).await {
    ///     Err(Error::Unresolved(unresolved)) => match registry.resolve(*unresolved).await {
    ///         Ok(Resolution::Made(issued)) => println!("registered: {issued:?}"),
    ///         Ok(_) => println!("not registered: give the command again"),
    ///         Err(unresolved) => println!("keep it, and try again later: {}", unresolved.cause()),
    ///     },
    ///     other => println!("{other:?}"),
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The same [`Unresolved`], if the store still did not say what became of the change, or if the primary key was retired;
    /// its [cause](Unresolved::cause) says which. Try again later, or on another node.
    pub async fn resolve(&self, unresolved: Unresolved) -> Result<Resolution, Unresolved> {
        let Unresolved { commit, opened, added, issued, cause: _ } = unresolved;
        let commit = match self.under_primary_key(&commit).await {
            Ok(resealed) => resealed.unwrap_or(commit),
            Err(cause) => return Err(Unresolved { commit, opened, added, issued, cause }),
        };
        match self.send(&commit, true).await {
            Sent::Made => Ok(Resolution::Made(issued)),
            Sent::Lost(Lost::Conflict) => Ok(Resolution::NotMade),
            // While an attempt is in doubt, nothing that is taken says that it was not made.
            Sent::Lost(Lost::Taken { .. }) => {
                Err(Unresolved { commit, opened, added, issued, cause: in_doubt() })
            }
            Sent::NotWritten(cause) | Sent::InDoubt(cause) => {
                Err(Unresolved { commit, opened, added, issued, cause })
            }
        }
    }

    /// The same commit under the primary key: the one that it is under may have been retired since. `None` when it is under the
    /// primary key already. Fails where nothing may be written under that one either.
    async fn under_primary_key(&self, commit: &Commit) -> Result<Option<Commit>, StoreError> {
        let Some(protection) = &self.inner.protection else {
            return Ok(None);
        };
        self.ensure_may_write().await.map_err(|error| match error {
            Error::Unavailable(error) => error,
            other => StoreError::with_source(StoreErrorKind::Unavailable, other),
        })?;
        let primary = protection.sealing.keyring.primary();
        if commit.changes().iter().all(|change| change.record().key_id() == Some(primary)) {
            return Ok(None);
        }
        let mut changes = Vec::with_capacity(commit.changes().len());
        for change in commit.changes() {
            let record = protection.reseal(change.record(), &*self.inner.entropy)?;
            changes.push(change.resealed(record));
        }
        let resealed = Commit::new(commit.id(), changes);
        Ok(Some(if commit.is_urgent() { resealed.urgent() } else { resealed }))
    }

    /// Commits what was decided, and returns the clients as they are then.
    pub(in crate::registry) async fn commit<const N: usize>(
        &self,
        effort: Effort,
        changes: [(Expected, Change, Option<&Opened>); N],
    ) -> Result<Result<[Opened; N], Lost>, Error> {
        self.ensure_may_write().await?;
        let mut added = None;
        let changes = changes.map(|(expected, change, before)| {
            added = added.or(change.added().first().copied());
            let (next, events) = change.into_parts();
            (Opened::new(next), expected, events, before)
        });
        let all_opened = changes.each_ref().map(|(opened, ..)| opened.clone());
        let mut records = Vec::with_capacity(N);
        for (opened, expected, events, before) in changes {
            let takes_away = events.iter().any(|event| takes_away(event.fact()));
            let room = if takes_away || effort == Effort::Emergency { Room::Whole } else { Room::Ordinary };
            let record = self.protect(&opened, room, before)?;
            let index = Index::of(&opened, record.key_id());
            records.push(RecordChange::new(record, expected, index, &events));
        }
        let commit = Commit::new(self.new_commit_id()?, records);
        let commit = if effort == Effort::Emergency { commit.urgent() } else { commit };
        match self.send(&commit, false).await {
            Sent::Made => Ok(Ok(all_opened)),
            Sent::Lost(lost) => Ok(Err(lost)),
            Sent::NotWritten(error) => Err(error.into()),
            Sent::InDoubt(cause) => {
                let opened = all_opened.into();
                Err(Error::Unresolved(Box::new(Unresolved { commit, opened, added, issued: None, cause })))
            }
        }
    }

    /// Sends a commit until the store says what became of it, a fixed number of times.
    ///
    /// Once an attempt has failed, only `Ok` and `Conflict` say anything of it: a conflict may be its trace, and then the
    /// history tells whose commit made the revision. What is taken now, or was not written this time, may be free or written
    /// when the first attempt arrives at last.
    async fn send(&self, commit: &Commit, mut in_doubt: bool) -> Sent {
        let _committing = self.inner.cache.as_ref().map(|cache| cache.committing(commit));
        let mut last = self::in_doubt();
        for _ in 0..SENDS {
            match self.inner.store.commit(commit).await {
                Ok(()) => return self.made(commit),
                Err(CommitError::Conflict { .. }) if !in_doubt => return Sent::Lost(Lost::Conflict),
                Err(CommitError::Conflict { .. }) => {
                    return match self.was_made(commit).await {
                        Ok(true) => self.made(commit),
                        Ok(false) => Sent::Lost(Lost::Conflict),
                        Err(error) => Sent::InDoubt(error),
                    };
                }
                Err(CommitError::Taken { entry, .. }) if !in_doubt && !was_asked_for(commit, &entry) => {
                    return Sent::NotWritten(tampered("something is taken that was not asked for"));
                }
                Err(CommitError::Taken { entry, by }) if !in_doubt => {
                    return Sent::Lost(Lost::Taken { entry, by });
                }
                Err(CommitError::Taken { .. }) => last = self::in_doubt(),
                Err(CommitError::NotWritten(error)) if !in_doubt => return Sent::NotWritten(error),
                Err(CommitError::NotWritten(error)) => last = error,
                Err(CommitError::Failed(error)) => {
                    let why = with_sources(&error);
                    tracing::warn!(why, "the store did not say whether a commit was applied");
                    (in_doubt, last) = (true, error);
                }
            }
        }
        Sent::InDoubt(last)
    }

    /// Notes the records of a commit that was made, so that an older one in their place is noticed.
    fn made(&self, commit: &Commit) -> Sent {
        if let Some(protection) = &self.inner.protection {
            protection.made(commit);
        }
        Sent::Made
    }

    /// Looks into the history whether a commit was made.
    async fn was_made(&self, commit: &Commit) -> Result<bool, StoreError> {
        let change = commit.changes().first().ok_or_else(in_doubt)?;
        let client_id = change.id().client_id().ok_or_else(in_doubt)?;
        let made = change.record().revision();
        let before = match change.expected() {
            Expected::Absent => Revision::ZERO,
            Expected::Exactly(revision) | Expected::Under(revision, _) => *revision,
        };
        let history = self.inner.store.history(&client_id, before, 1).await?;
        Ok(history.iter().any(|committed| committed.revision == made && committed.commit_id == commit.id()))
    }
}

/// The error for an attempt that is in doubt. It names nothing that the actor may not see (rule 15).
fn in_doubt() -> StoreError {
    StoreError::new(StoreErrorKind::InDoubt)
}

/// Returns whether a fact takes a secret away, or what it can do. Such a change may fill a record to its end.
fn takes_away(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::SecretDeleted { .. }
            | Fact::SecretDisabled { .. }
            | Fact::SecretCompromised { .. }
            | Fact::ClientSuspended { .. }
            | Fact::ClientDeleted { .. }
    )
}
