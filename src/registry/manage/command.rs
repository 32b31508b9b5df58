//! Load, decide, commit; retried on conflict, settled when the outcome is not known.

use std::fmt::Display;
use std::time::Duration;

use tracing::Instrument;

use crate::client::{Change, Client, CommandContext, Decision, Move, Refusal};
use crate::event::Fact;
use crate::record::Opened;
use crate::registry::error::{Error, Resolution, Unresolved};
use crate::registry::manage::taken::was_asked_for;
use crate::registry::manage::trace;
use crate::registry::manage::trace::Operation;
use crate::registry::manage::view::View;
use crate::registry::protection::Room;
use crate::registry::{Outcome, Registry};
use crate::secret::{ClientSecret, Issued};
use crate::store::{Commit, CommitError, Expected, Index, IndexEntry, RecordChange, Store};
use crate::store_error::{StoreError, StoreErrorKind, tampered, with_sources};
use crate::value::{AddInId, ClientId, Revision, SecretId};

/// What a command came to: the client as it is now, and the secrets that were added.
pub(in crate::registry) struct Applied<T> {
    pub(in crate::registry) outcome: Outcome,
    pub(in crate::registry) opened: Opened,
    pub(in crate::registry) added: Vec<SecretId>,
    pub(in crate::registry) extra: T,
}

/// Why a commit was not made.
enum Failure {
    /// Somebody else was faster: look again.
    Conflict,
    Taken {
        entry: IndexEntry,
        by: ClientId,
    },
    NotWritten(StoreError),
    Unresolved(Box<Unresolved>),
}

/// What became of a commit that was sent.
enum Sent {
    Made,
    /// Something else is there. The commit was not made, and can no longer be.
    Conflict,
    /// It was not made, and no attempt is under way.
    Taken {
        entry: IndexEntry,
        by: ClientId,
    },
    /// The same.
    NotWritten(StoreError),
    /// It may have been made, or may yet be.
    InDoubt(StoreError),
}

/// How a command is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::registry) enum Effort {
    /// A fixed number of times, in its turn.
    Ordinary,
    /// Before others where the store lets commits wait, and until a deadline however often others change the client.
    Emergency,
}

impl<S: Store> View<S> {
    /// Changes a client that has not been deleted.
    pub(in crate::registry) async fn change<T, E: From<Error> + Display>(
        &self,
        command: impl Into<Operation>,
        client_id: &ClientId,
        decide: impl Fn(&Client, &CommandContext<'_>) -> Result<(Decision, T), E> + Send + Sync,
    ) -> Result<Applied<T>, E> {
        self.change_any(command, client_id, Effort::Ordinary, |opened, context| match opened {
            Opened::Active(live) => decide(live.client(), context),
            Opened::Deleted(_) => Err(Error::from(Refusal::ClientDeleted).into()),
        })
        .await
    }

    /// Changes a client, or what is left of one.
    pub(in crate::registry) async fn change_any<T, E: From<Error> + Display>(
        &self,
        command: impl Into<Operation>,
        client_id: &ClientId,
        effort: Effort,
        decide: impl Fn(&Opened, &CommandContext<'_>) -> Result<(Decision, T), E> + Send + Sync,
    ) -> Result<Applied<T>, E> {
        let command = command.into();
        let span = trace::span(command, &self.actor, Some(client_id));
        let mut attempts = 0;
        let result = self.try_change(client_id, effort, decide, &mut attempts).instrument(span.clone()).await;
        trace::command(&span, command, &result, attempts);
        result
    }

    async fn try_change<T, E: From<Error>>(
        &self,
        client_id: &ClientId,
        effort: Effort,
        decide: impl Fn(&Opened, &CommandContext<'_>) -> Result<(Decision, T), E> + Send + Sync,
        attempts: &mut usize,
    ) -> Result<Applied<T>, E> {
        let clock = &*self.registry.inner.clock;
        let begun = clock.monotonic();
        loop {
            *attempts += 1;
            let opened = self.load(client_id).await?;
            let (transition, extra) = decide(&opened, &self.context(&opened))?;
            let Some(change) = transition.change() else {
                return Ok(Applied { outcome: Outcome::Unchanged, opened, added: vec![], extra });
            };
            let added = change.added();
            let changes = [(Expected::Exactly(opened.revision()), *change, Some(&opened))];
            match self.registry.commit(effort, changes).await? {
                Ok([opened]) => {
                    return Ok(Applied { outcome: Outcome::Changed, opened, added, extra });
                }
                Err(failure) => {
                    if let Some(error) = self.explain(failure).await {
                        return Err(error.into());
                    }
                }
            }
            match effort {
                Effort::Ordinary if *attempts < ATTEMPTS => {}
                Effort::Ordinary => return Err(Error::Contention { attempts: ATTEMPTS }.into()),
                Effort::Emergency => {
                    let waited = clock.monotonic().saturating_sub(begun);
                    if waited >= EMERGENCY || *attempts >= EMERGENCY_ATTEMPTS {
                        return Err(Error::from(outrun(*attempts)).into());
                    }
                }
            }
        }
    }

    /// Makes a client where there is none. Answers `None` when the ID is taken.
    pub(in crate::registry) async fn create(
        &self,
        command: &'static str,
        decide: impl Fn(&CommandContext<'_>) -> Result<Decision, Refusal> + Send + Sync,
    ) -> Result<Option<Applied<()>>, Error> {
        let span = trace::span(command, &self.actor, None);
        let mut attempts = 0;
        let result = self.try_create(decide, &mut attempts).instrument(span.clone()).await.transpose();
        if let Some(result) = &result {
            if let Ok(Applied { opened, .. }) = result {
                span.record("client_id", opened.client_id().as_str());
            }
            trace::command(&span, command.into(), result, attempts);
        }
        result.transpose()
    }

    async fn try_create(
        &self,
        decide: impl Fn(&CommandContext<'_>) -> Result<Decision, Refusal> + Send + Sync,
        attempts: &mut usize,
    ) -> Result<Option<Applied<()>>, Error> {
        while *attempts < ATTEMPTS {
            *attempts += 1;
            let Some(change) = decide(&self.deciding_anew())?.change() else {
                return Ok(None);
            };
            let added = change.added();
            match self.registry.commit(Effort::Ordinary, [(Expected::Absent, *change, None)]).await? {
                Ok([opened]) => {
                    return Ok(Some(Applied { outcome: Outcome::Changed, opened, added, extra: () }));
                }
                Err(Failure::Conflict) => return Ok(None),
                Err(failure) => {
                    if let Some(error) = self.explain(failure).await {
                        return Err(error);
                    }
                }
            }
        }
        Err(Error::Contention { attempts: ATTEMPTS })
    }

    /// Moves an add-in between two clients in one commit (rule 14).
    pub(in crate::registry) async fn move_add_in(
        &self,
        from: &ClientId,
        to: &ClientId,
        add_in: &AddInId,
    ) -> Result<Outcome, Error> {
        let moved = async {
            let result = self.try_move_add_in(from, to, add_in).await;
            match &result {
                Ok(outcome) => tracing::info!(client_id = from.as_str(), to = to.as_str(), ?outcome, "moved"),
                Err(error) => tracing::debug!(%error, "not moved"),
            }
            result
        };
        moved.instrument(trace::span("move_add_in", &self.actor, Some(from))).await
    }

    async fn try_move_add_in(
        &self,
        from: &ClientId,
        to: &ClientId,
        add_in: &AddInId,
    ) -> Result<Outcome, Error> {
        for _ in 0..ATTEMPTS {
            let leaves = self.load(from).await?;
            let comes = self.load(to).await?;
            let decided = match (leaves.client(), comes.client()) {
                (Ok(leaves_from), Ok(to)) => leaves_from.move_add_in(to, add_in, &self.context(&leaves)),
                (Err(deleted), _) | (_, Err(deleted)) => Err(deleted),
            };
            let Ok(Move::Changed { from: left, to: came }) = decided else {
                // The two were read one after the other: an add-in that moved in between was seen with neither.
                if self.load(from).await?.revision() != leaves.revision() {
                    continue;
                }
                return decided.map(|_| Outcome::Unchanged).map_err(Error::from);
            };
            let changes = [
                (Expected::Exactly(leaves.revision()), *left, Some(&leaves)),
                (Expected::Exactly(comes.revision()), *came, Some(&comes)),
            ];
            match self.registry.commit(Effort::Ordinary, changes).await? {
                Ok(_) => return Ok(Outcome::Changed),
                Err(failure) => {
                    if let Some(error) = self.explain(failure).await {
                        return Err(error);
                    }
                }
            }
        }
        Err(Error::Contention { attempts: ATTEMPTS })
    }

    /// Says why a commit was not made, naming only what the actor may see (rule 15). `None` where the command is to be decided
    /// anew: another one was faster, or what was taken has been let go of meanwhile.
    async fn explain(&self, failure: Failure) -> Option<Error> {
        match failure {
            Failure::Conflict => None,
            Failure::NotWritten(error) => Some(error.into()),
            Failure::Unresolved(unresolved) => Some(Error::Unresolved(unresolved)),
            Failure::Taken { entry, by } => self.taken(entry, by).await,
        }
    }
}

impl<S: Store> Registry<S> {
    /// Settles a change of which it is not known whether it was made, by sending it again, under the primary key of this
    /// registry. Any registry on the same store will do: one whose primary key was retired meanwhile writes nothing.
    ///
    /// A call that is dropped takes what was issued with it: a client secret that may be live is then with nobody. What to
    /// do is what the command says that was to be settled; see [`ClientHandle`](crate::ClientHandle) for how to keep it from
    /// being dropped.
    ///
    /// # Errors
    /// The same [`Unresolved`], when the store still cannot say, or the key was retired: its cause says which. Try again
    /// later, or elsewhere.
    pub async fn resolve(&self, unresolved: Unresolved) -> Result<Resolution, Unresolved> {
        let Unresolved { commit, opened, added, issued, cause: _ } = unresolved;
        let commit = match self.under_primary_key(&commit).await {
            Ok(resealed) => resealed.unwrap_or(commit),
            Err(cause) => return Err(Unresolved { commit, opened, added, issued, cause }),
        };
        match self.send(&commit, true).await {
            Sent::Made => Ok(Resolution::Made(issued)),
            Sent::Conflict => Ok(Resolution::NotMade),
            Sent::Taken { .. } => Err(Unresolved { commit, opened, added, issued, cause: in_doubt() }),
            Sent::NotWritten(cause) | Sent::InDoubt(cause) => {
                Err(Unresolved { commit, opened, added, issued, cause })
            }
        }
    }

    /// The same commit under the primary key, which has to be one that may be written under: a commit that was in doubt for
    /// long may be under one that was retired since. `None` when it is as it should be.
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

    /// Commits changes that were decided, and answers with the clients as they are then.
    async fn commit<const N: usize>(
        &self,
        effort: Effort,
        changes: [(Expected, Change, Option<&Opened>); N],
    ) -> Result<Result<[Opened; N], Failure>, Error> {
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
        Ok(match self.send(&commit, false).await {
            Sent::Made => Ok(all_opened),
            Sent::Conflict => Err(Failure::Conflict),
            Sent::Taken { entry, by } => Err(Failure::Taken { entry, by }),
            Sent::NotWritten(error) => Err(Failure::NotWritten(error)),
            Sent::InDoubt(cause) => {
                let issued = None;
                let opened = all_opened.into();
                Err(Failure::Unresolved(Box::new(Unresolved { commit, opened, added, issued, cause })))
            }
        })
    }

    /// Sends a commit until the store says what became of it, a fixed number of times.
    ///
    /// Once an attempt has failed, only `Ok` and `Conflict` say anything of it: a conflict may be its trace, and then the
    /// history tells whose commit made the revision. What is taken now, or was not written this time, may be free or
    /// written when the first attempt arrives at last.
    async fn send(&self, commit: &Commit, in_doubt: bool) -> Sent {
        let _committing = self.inner.cache.as_ref().map(|cache| cache.committing(commit));
        let sent = self.try_send(commit, in_doubt).await;
        if let (Sent::Made, Some(protection)) = (&sent, &self.inner.protection) {
            protection.made(commit);
        }
        sent
    }

    async fn try_send(&self, commit: &Commit, mut in_doubt: bool) -> Sent {
        let mut last = self::in_doubt();
        for _ in 0..SENDS {
            match self.inner.store.commit(commit).await {
                Ok(()) => return Sent::Made,
                Err(CommitError::Conflict { .. }) if !in_doubt => return Sent::Conflict,
                Err(CommitError::Conflict { .. }) => {
                    return match self.was_made(commit).await {
                        Ok(true) => Sent::Made,
                        Ok(false) => Sent::Conflict,
                        Err(error) => Sent::InDoubt(error),
                    };
                }
                Err(CommitError::Taken { entry, .. }) if !in_doubt && !was_asked_for(commit, &entry) => {
                    return Sent::NotWritten(tampered("something is taken that was not asked for"));
                }
                Err(CommitError::Taken { entry, by }) if !in_doubt => return Sent::Taken { entry, by },
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

    /// Whether a commit is in the history of its clients.
    async fn was_made(&self, commit: &Commit) -> Result<bool, StoreError> {
        let Some(change) = commit.changes().first() else {
            return Ok(false);
        };
        let Some(client_id) = change.id().client_id() else {
            return Ok(false);
        };
        let made = change.record().revision();
        let before = match change.expected() {
            Expected::Absent => Revision::ZERO,
            Expected::Exactly(revision) | Expected::Under(revision, _) => *revision,
        };
        let history = self.inner.store.history(&client_id, before, 1).await?;
        Ok(history.iter().any(|committed| committed.revision == made && committed.commit_id == commit.id()))
    }
}

/// Joins a client secret with what a command made of it. When nobody knows whether the command was carried out, the
/// plaintext goes with the error; when it was not, it is wiped.
pub(in crate::registry) fn hand_over<T>(
    result: Result<Applied<T>, Error>,
    client_secret: ClientSecret,
) -> Result<(Option<Issued>, T), Error> {
    match result {
        Ok(Applied { opened, added, extra, .. }) => {
            Ok((issued(&opened, added.first().copied(), client_secret), extra))
        }
        Err(Error::Unresolved(mut unresolved)) => {
            let added = unresolved.added;
            unresolved.issued =
                unresolved.opened.first().and_then(|opened| issued(opened, added, client_secret));
            Err(Error::Unresolved(unresolved))
        }
        Err(error) => Err(error),
    }
}

/// The same where a client secret is issued or nothing happens.
pub(in crate::registry) fn hand_over_one(
    result: Result<Applied<()>, Error>,
    client_secret: ClientSecret,
) -> Result<Issued, Error> {
    match hand_over(result, client_secret)? {
        (Some(issued), ()) => Ok(issued),
        // The core adds a secret or refuses.
        (None, ()) => Err(Refusal::UnknownClient.into()),
    }
}

fn issued(opened: &Opened, added: Option<SecretId>, client_secret: ClientSecret) -> Option<Issued> {
    let client = opened.client().ok()?;
    let secret = client.secret(added?)?;
    Some(Issued::new(client.id().clone(), secret.id(), secret.validity(), client_secret))
}

/// What there is to say when an earlier attempt is in doubt. Names nothing that the actor may not see (rule 15).
fn in_doubt() -> StoreError {
    StoreError::new(StoreErrorKind::InDoubt)
}

/// Tells whether a fact takes a secret away, or what it can do. What does that may fill a record to its end.
fn takes_away(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::SecretDeleted { .. }
            | Fact::SecretDisabled { .. }
            | Fact::SecretCompromised { .. }
            | Fact::ClientDeleted { .. }
    )
}

/// What there is to say when others changed the client again and again during an emergency.
fn outrun(attempts: usize) -> StoreError {
    let why = format!("others changed the client {attempts} times in a row: stop them, and try again");
    StoreError::with_source(StoreErrorKind::Unavailable, why)
}

/// How often a command is decided anew when others change the client in between.
const ATTEMPTS: usize = 16;
/// How often a commit is sent before its outcome is left to the caller to resolve.
const SENDS: usize = 3;
/// How long an emergency is decided anew while others change the client, by the registry's monotonic clock; and how often at
/// most, where that stands still.
const EMERGENCY: Duration = Duration::from_secs(10);
const EMERGENCY_ATTEMPTS: usize = 100_000;
