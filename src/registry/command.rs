//! Load, decide, commit; retried on conflict, settled when the outcome is not known.

use super::error::{Error, Resolution, Unresolved};
use super::view::View;
use super::{Outcome, Registry};
use crate::client::{Change, Client, Deciding, Move, Refusal, Transition};
use crate::client_secret::{ClientSecret, Issued};
use crate::event::Revision;
use crate::id::{AddInId, ClientId, SecretId};
use crate::record::{Form, Record};
use crate::store::{Commit, CommitError, Entry, Expected, RecordChange, Store, StoreError, StoreErrorKind};

/// What a command came to: the record as it is now, and the secrets that were added.
pub(super) struct Applied<T> {
    pub(super) outcome: Outcome,
    pub(super) record: Record,
    pub(super) added: Vec<SecretId>,
    pub(super) extra: T,
}

/// Why a commit was not made.
enum Failure {
    /// Somebody else was faster: look again.
    Conflict,
    Taken {
        entry: Entry,
        by: ClientId,
    },
    Unresolved(Box<Unresolved>),
}

impl<S: Store> View<S> {
    /// Changes a client that has not been deleted.
    pub(super) async fn change<T, E: From<Error>>(
        &self,
        client_id: &ClientId,
        decide: impl Fn(&Client, &Deciding<'_>) -> Result<(Transition, T), E> + Send + Sync,
    ) -> Result<Applied<T>, E> {
        self.change_any(client_id, |form, deciding| match form {
            Form::Active(live) => decide(live.client(), deciding),
            Form::Deleted(_) => Err(Error::from(Refusal::ClientDeleted).into()),
        })
        .await
    }

    /// Changes a client, or what is left of one.
    pub(super) async fn change_any<T, E: From<Error>>(
        &self,
        client_id: &ClientId,
        decide: impl Fn(&Form, &Deciding<'_>) -> Result<(Transition, T), E> + Send + Sync,
    ) -> Result<Applied<T>, E> {
        for _ in 0..ATTEMPTS {
            let record = self.load(client_id).await?;
            let (transition, extra) = decide(record.form(), &self.deciding(&record))?;
            let Some(change) = transition.change() else {
                return Ok(Applied { outcome: Outcome::Unchanged, record, added: vec![], extra });
            };
            let added = change.added().to_vec();
            match self.registry.commit([(Expected::Exactly(record.revision()), *change)]).await? {
                Ok([record]) => {
                    return Ok(Applied { outcome: Outcome::Changed, record, added, extra });
                }
                Err(Failure::Conflict) => {}
                Err(failure) => return Err(self.explain(failure).await.into()),
            }
        }
        Err(Error::Contention { attempts: ATTEMPTS }.into())
    }

    /// Makes a client where there is none. Answers `None` when the ID is taken.
    pub(super) async fn create(&self, transition: Transition) -> Result<Option<Applied<()>>, Error> {
        let Some(change) = transition.change() else {
            return Ok(None);
        };
        let added = change.added().to_vec();
        match self.registry.commit([(Expected::Absent, *change)]).await? {
            Ok([record]) => Ok(Some(Applied { outcome: Outcome::Changed, record, added, extra: () })),
            Err(Failure::Conflict) => Ok(None),
            Err(failure) => Err(self.explain(failure).await),
        }
    }

    /// Moves an add-in between two clients in one commit (rule 14).
    pub(super) async fn move_add_in(
        &self,
        from: &ClientId,
        to: &ClientId,
        add_in: &AddInId,
    ) -> Result<Outcome, Error> {
        for _ in 0..ATTEMPTS {
            let leaves = self.load(from).await?;
            let comes = self.load(to).await?;
            let decided = {
                let deciding = self.deciding(&leaves);
                active(&leaves)?.move_add_in(active(&comes)?, add_in, &deciding)?
            };
            let Move::Changed { from: left, to: came } = decided else {
                return Ok(Outcome::Unchanged);
            };
            let changes =
                [(Expected::Exactly(leaves.revision()), *left), (Expected::Exactly(comes.revision()), *came)];
            match self.registry.commit(changes).await? {
                Ok(_) => return Ok(Outcome::Changed),
                Err(Failure::Conflict) => {}
                Err(failure) => return Err(self.explain(failure).await),
            }
        }
        Err(Error::Contention { attempts: ATTEMPTS })
    }

    /// Says why a commit was not made, naming only what the actor may see (rule 15).
    async fn explain(&self, failure: Failure) -> Error {
        match failure {
            Failure::Conflict => Error::Contention { attempts: ATTEMPTS },
            Failure::Unresolved(unresolved) => Error::Unresolved(unresolved),
            Failure::Taken { entry: Entry::Name(..), by } => Error::NameTaken { by },
            Failure::Taken { entry: Entry::AddIn(add_in), by } => match self.find(&by).await {
                Ok(visible) => Error::AddInTaken { add_in, by: visible.map(|_| by) },
                Err(error) => error,
            },
        }
    }
}

impl<S: Store> Registry<S> {
    /// Settles a change of which it is not known whether it was made, by sending it again.
    ///
    /// # Errors
    /// The same [`Unresolved`], when the store still cannot say: try again later.
    pub async fn resolve(&self, unresolved: Unresolved) -> Result<Resolution, Unresolved> {
        let Unresolved { commit, added, issued, cause: _ } = unresolved;
        match self.send(&commit, true).await {
            Ok(()) => Ok(Resolution::Made(issued)),
            Err(CommitError::Conflict { .. } | CommitError::Taken { .. }) => Ok(Resolution::NotMade),
            Err(CommitError::Failed(cause)) => Err(Unresolved { commit, added, issued, cause }),
        }
    }

    /// Commits changes that were decided, and answers with the records as they are then.
    async fn commit<const N: usize>(
        &self,
        changes: [(Expected, Change); N],
    ) -> Result<Result<[Record; N], Failure>, Error> {
        let mut added = None;
        let changes = changes.map(|(expected, change)| {
            added = added.or(change.added().first().copied());
            let (next, events) = change.into_parts();
            RecordChange::new(Record::new(next), expected, events)
        });
        let records = changes.each_ref().map(|change| change.record().clone());
        let commit = Commit::new(self.new_commit_id()?, changes.into());
        Ok(match self.send(&commit, false).await {
            Ok(()) => Ok(records),
            Err(CommitError::Conflict { .. }) => Err(Failure::Conflict),
            Err(CommitError::Taken { entry, by }) => Err(Failure::Taken { entry, by }),
            Err(CommitError::Failed(cause)) => {
                let issued = None;
                Err(Failure::Unresolved(Box::new(Unresolved { commit, added, issued, cause })))
            }
        })
    }

    /// Sends a commit until the store says what became of it, a fixed number of times.
    ///
    /// Once an attempt has failed, a conflict may be the trace of that attempt: then the history says whose commit made
    /// the revision.
    async fn send(&self, commit: &Commit, mut in_doubt: bool) -> Result<(), CommitError> {
        let mut attempt = 1;
        loop {
            match self.inner.store.commit(commit).await {
                Ok(()) => return Ok(()),
                Err(CommitError::Conflict { client_id, found }) if in_doubt => {
                    let made = self.was_made(commit).await?;
                    return if made { Ok(()) } else { Err(CommitError::Conflict { client_id, found }) };
                }
                // The first attempt may still be on its way: this says nothing of it.
                Err(taken @ CommitError::Taken { .. }) if in_doubt => {
                    return Err(StoreError::with_source(StoreErrorKind::Unavailable, taken).into());
                }
                Err(CommitError::Failed(error)) => {
                    in_doubt = true;
                    if attempt == SENDS {
                        return Err(error.into());
                    }
                }
                Err(error) => return Err(error),
            }
            attempt += 1;
        }
    }

    /// Whether a commit is in the history of its clients.
    async fn was_made(&self, commit: &Commit) -> Result<bool, StoreError> {
        let Some(change) = commit.changes().first() else {
            return Ok(false);
        };
        let made = change.record().revision();
        let before = match change.expected() {
            Expected::Absent => Revision::ZERO,
            Expected::Exactly(revision) => revision,
        };
        let history = self.inner.store.history(change.client_id(), before, 1).await?;
        Ok(history.iter().any(|committed| committed.revision == made && committed.commit_id == commit.id()))
    }
}

/// Joins a client secret with what a command made of it. When nobody knows whether the command was carried out, the
/// plaintext goes with the error; when it was not, it is wiped.
pub(super) fn hand_over<T>(
    result: Result<Applied<T>, Error>,
    client_secret: ClientSecret,
) -> Result<(Option<Issued>, T), Error> {
    match result {
        Ok(Applied { record, added, extra, .. }) => {
            Ok((issued(&record, added.first().copied(), client_secret), extra))
        }
        Err(Error::Unresolved(mut unresolved)) => {
            let record = unresolved.commit.changes().first().map(|change| change.record().clone());
            unresolved.issued = record.and_then(|record| issued(&record, unresolved.added, client_secret));
            Err(Error::Unresolved(unresolved))
        }
        Err(error) => Err(error),
    }
}

/// The same where a client secret is issued or nothing happens.
pub(super) fn hand_over_one(
    result: Result<Applied<()>, Error>,
    client_secret: ClientSecret,
) -> Result<Issued, Error> {
    match hand_over(result, client_secret)? {
        (Some(issued), ()) => Ok(issued),
        // The core adds a secret or refuses.
        (None, ()) => Err(Refusal::UnknownClient.into()),
    }
}

fn issued(record: &Record, added: Option<SecretId>, client_secret: ClientSecret) -> Option<Issued> {
    let client = active(record).ok()?;
    let secret = client.secret(added?)?;
    Some(Issued::new(client.id().clone(), secret.id(), secret.validity(), client_secret))
}

fn active(record: &Record) -> Result<&Client, Refusal> {
    match record.form() {
        Form::Active(live) => Ok(live.client()),
        Form::Deleted(_) => Err(Refusal::ClientDeleted),
    }
}

/// How often a command is decided anew when others change the client in between.
const ATTEMPTS: usize = 16;
/// How often a commit is sent before its outcome is left to the caller to resolve.
const SENDS: usize = 3;
