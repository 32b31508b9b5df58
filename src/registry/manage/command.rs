//! Carrying out a command: load, decide, commit; decided anew when another caller was faster.
//!
//! No rule is decided here. The core decides on what was loaded, and the commit expects that revision, so a decision never
//! meets a client that it was not made for. An emergency is decided anew until a deadline and never answers
//! [`Error::Contention`].

use std::fmt::Display;
use std::time::Duration;

use tracing::Instrument;

use crate::client::{CommandContext, Decision, LastUses, Move, Refusal};
use crate::clock::Clock;
use crate::record::Opened;
use crate::registry::manage::applied::Applied;
use crate::registry::manage::commit::{Effort, Lost};
use crate::registry::manage::trace::{self, Operation};
use crate::registry::manage::view::View;
use crate::registry::{ATTEMPTS, Error, Outcome};
use crate::store::{Expected, Store};
use crate::store_error::{StoreError, StoreErrorKind};
use crate::value::{AddInId, ClientId, Revision};

/// A command about one client.
pub(in crate::registry) struct Command<'a> {
    client_id: &'a ClientId,
    operation: Operation,
    effort: Effort,
    by_uses: bool,
    tied_to: Option<Revision>,
}

impl<'a> Command<'a> {
    pub(in crate::registry) fn new(client_id: &'a ClientId, operation: impl Into<Operation>) -> Self {
        Self {
            client_id,
            operation: operation.into(),
            effort: Effort::Ordinary,
            by_uses: false,
            tied_to: None,
        }
    }

    pub(in crate::registry) fn in_emergency(self) -> Self {
        Self { effort: Effort::Emergency, ..self }
    }

    /// The command is refused if the client is at another revision.
    pub(in crate::registry) fn tied_to(self, revision: Option<Revision>) -> Self {
        Self { tied_to: revision, ..self }
    }

    /// The command is decided by the last uses of the secrets too.
    pub(in crate::registry) fn by_uses(self) -> Self {
        Self { by_uses: true, ..self }
    }
}

impl<S: Store> View<S> {
    /// Carries out a command on a client, or on its tombstone. An attempt loads the client once. The last uses are read after the
    /// actor was let through (rule 15), and only for a command that is decided by them.
    pub(in crate::registry) async fn carry_out<T, E: From<Error> + Display>(
        &self,
        command: Command<'_>,
        decide: impl Fn(&Opened, &LastUses, &CommandContext<'_>) -> Result<(Decision, T), E> + Send + Sync,
    ) -> Result<Applied<T>, E> {
        let Command { client_id, operation, effort, by_uses, tied_to } = command;
        let span = trace::span(operation, &self.actor, Some(client_id));
        let mut attempts = Attempts::begin(effort, &*self.registry.inner.clock);
        let carried_out = async {
            loop {
                attempts.begin_next()?;
                let opened = self.load(client_id).await?;
                self.refuse_other_than(tied_to, &opened).await?;
                let uses = if by_uses { self.last_uses(client_id).await? } else { LastUses::default() };
                let (decision, extra) = decide(&opened, &uses, &self.context(&opened))?;
                let Some(change) = decision.change() else {
                    return Ok(Applied { outcome: Outcome::Unchanged, opened, added: vec![], extra });
                };
                let added = change.added();
                let changes = [(Expected::Exactly(opened.revision()), *change, Some(&opened))];
                match self.registry.commit(effort, changes).await? {
                    Ok([opened]) => {
                        return Ok(Applied { outcome: Outcome::Changed, opened, added, extra });
                    }
                    Err(lost) => self.explain(lost).await?,
                }
            }
        };
        let result = carried_out.instrument(span.clone()).await;
        trace::command(&span, operation, &result, attempts.made);
        result
    }

    /// Makes a client where there is none. Returns `None` when the ID is taken.
    pub(in crate::registry) async fn create(
        &self,
        command: &'static str,
        decide: impl Fn(&CommandContext<'_>) -> Result<Decision, Refusal> + Send + Sync,
    ) -> Result<Option<Applied<()>>, Error> {
        let span = trace::span(command, &self.actor, None);
        let mut attempts = Attempts::begin(Effort::Ordinary, &*self.registry.inner.clock);
        let created = async {
            loop {
                attempts.begin_next()?;
                let Some(change) = decide(&self.context_of_new())?.change() else {
                    return Ok(None);
                };
                let added = change.added();
                let changes = [(Expected::Absent, *change, None)];
                match self.registry.commit(Effort::Ordinary, changes).await? {
                    Ok([opened]) => {
                        return Ok(Some(Applied { outcome: Outcome::Changed, opened, added, extra: () }));
                    }
                    Err(Lost::Conflict) => return Ok(None),
                    Err(lost) => self.explain(lost).await?,
                }
            }
        };
        let result = created.instrument(span.clone()).await.transpose();
        if let Some(result) = &result {
            if let Ok(Applied { opened, .. }) = result {
                span.record("client_id", opened.client_id().as_str());
            }
            trace::command(&span, command.into(), result, attempts.made);
        }
        result.transpose()
    }

    /// Moves an add-in between two clients in one commit (rule 14).
    pub(in crate::registry) async fn move_add_in(
        &self,
        from: &ClientId,
        to: &ClientId,
        add_in: &AddInId,
        tied_to: Option<Revision>,
    ) -> Result<Outcome, Error> {
        let span = trace::span("move_add_in", &self.actor, Some(from));
        let mut attempts = Attempts::begin(Effort::Ordinary, &*self.registry.inner.clock);
        let moved = async {
            loop {
                attempts.begin_next()?;
                let leaves = self.load(from).await?;
                self.refuse_other_than(tied_to, &leaves).await?;
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
                    Err(lost) => self.explain(lost).await?,
                }
            }
        };
        let result = moved.instrument(span.clone()).await;
        trace::moved(&span, from, to, &result);
        result
    }

    /// Refuses a command that is tied to another revision than the client has now, and shows the client as it is.
    async fn refuse_other_than(&self, tied_to: Option<Revision>, opened: &Opened) -> Result<(), Error> {
        if tied_to.is_none_or(|revision| revision == opened.revision()) {
            return Ok(());
        }
        let now = self.look_at(opened).await?.ok_or(Refusal::ClientDeleted)?;
        Err(Error::MovedOn { now: Box::new(now) })
    }

    /// Explains why a commit was not made, naming only what the actor may see (rule 15). `Ok` where the command is to be
    /// decided anew: another caller was faster, or what was taken has been let go of meanwhile.
    async fn explain(&self, lost: Lost) -> Result<(), Error> {
        match lost {
            Lost::Conflict => Ok(()),
            Lost::Taken { entry, by } => self.taken(entry, by).await,
        }
    }
}

/// The attempts at one command.
struct Attempts<'a> {
    effort: Effort,
    clock: &'a dyn Clock,
    begun: Duration,
    made: usize,
}

impl<'a> Attempts<'a> {
    fn begin(effort: Effort, clock: &'a dyn Clock) -> Self {
        Self { effort, clock, begun: clock.monotonic(), made: 0 }
    }

    /// Counts one attempt more, or gives up.
    fn begin_next(&mut self) -> Result<(), Error> {
        match self.effort {
            Effort::Ordinary if self.made >= ATTEMPTS => {
                return Err(Error::Contention { attempts: ATTEMPTS });
            }
            Effort::Emergency if self.made > 0 => {
                let waited = self.clock.monotonic().saturating_sub(self.begun);
                if waited >= EMERGENCY || self.made >= EMERGENCY_ATTEMPTS {
                    return Err(outrun(self.made).into());
                }
            }
            Effort::Ordinary | Effort::Emergency => {}
        }
        self.made += 1;
        Ok(())
    }
}

fn outrun(attempts: usize) -> StoreError {
    let why = format!("others changed the client {attempts} times in a row: stop them, and try again");
    StoreError::with_source(StoreErrorKind::Unavailable, why)
}

/// How long an emergency is decided anew while others change the client, by the registry's monotonic clock.
const EMERGENCY: Duration = Duration::from_secs(10);
/// How often at most, where that clock stands still.
const EMERGENCY_ATTEMPTS: usize = 100_000;

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::value::Timestamp;

    /// A clock that shows a minute more whenever it is read, as if the machine had been suspended.
    #[derive(Debug, Default)]
    struct Leaping(AtomicU64);

    impl Clock for Leaping {
        fn wall(&self) -> Timestamp {
            Timestamp::MIN
        }

        fn monotonic(&self) -> Duration {
            Duration::from_secs(60 * self.0.fetch_add(1, Ordering::Relaxed))
        }
    }

    #[test]
    fn rule_09_an_emergency_is_tried_once_whatever_the_clock_shows() {
        let clock = Leaping::default();
        let mut attempts = Attempts::begin(Effort::Emergency, &clock);
        attempts.begin_next().unwrap();
        assert!(attempts.begin_next().is_err());
        assert_eq!(attempts.made, 1);
    }
}
