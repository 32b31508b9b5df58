//! Plans: what a command would do, to be reviewed and then confirmed (rules 9 and 13).
//!
//! A plan and its command are one piece of code, and confirming decides anew. So a plan may be sent, stored, shown in a dialog
//! or even forged: nothing in it is believed, and it does not expire. If the client or a consequence has changed, the new plan
//! is returned instead.

mod consequences;
mod json;
mod obstacle;

use serde::Serialize;

pub(crate) use self::consequences::SecretRemoval;
pub use self::consequences::{
    CallingOff, ClientDeletion, ClosingEarly, EndMove, SecretDeletion, SecretDisabling,
};
pub use self::obstacle::Obstacle;
use crate::client::{Client, CommandContext, Decision, LastUses, Refusal};
use crate::value::client_id::stored_client_id;
use crate::value::redacted::redacted;
use crate::value::{ClientId, ErrorKind, Revision, SecretId, Timestamp};

redacted! {
    /// A plan: the consequences and obstacles of a command that was not carried out yet.
    ///
    /// `C` is the command: [`SecretDeletion`], [`SecretDisabling`], [`ClientDeletion`], [`CallingOff`], [`ClosingEarly`] or
    /// [`EndMove`]. Show the plan to the user, and pass it to [`ClientHandle::confirm`](crate::ClientHandle::confirm). It may go
    /// to a browser as [JSON](crate::json#plans) and come back, and it does not expire: confirming decides anew, and nothing in
    /// the plan is believed. If the client or a consequence has changed, [`ConfirmError::Changed`] returns the new plan.
    ///
    /// The plan to delete a client ID never has obstacles, even if secrets of the client ID are in use (rule 13). It names the
    /// secrets and add-ins that lose access, and the last use.
    ///
    /// # What a plan knows of last uses
    /// A plan knows a use on its own node at once, a use on another node that runs
    /// [`keep_fresh`](crate::Registry::keep_fresh) after at most a minute, and a use on any other node once that node calls
    /// [`flush_last_uses`](crate::Registry::flush_last_uses). The
    /// [`last_use_interval`](crate::RegistryBuilder::last_use_interval) is added to these times. So a plan has no obstacle if
    /// the only use of the last 7 days was on another node less than a minute ago.
    ///
    /// Keep the clocks of all nodes in step, and check them before you confirm a plan that surprises you. A node whose clock
    /// is days behind takes the true last uses that other nodes have noted for times in the future. When it notes a use itself,
    /// it replaces them with its own, earlier time, and a secret that is in use looks unused for that long.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    #[serde(deny_unknown_fields)]
    #[must_use = "nothing has changed until the plan is confirmed"]
    pub struct Plan<C> {
        #[serde(deserialize_with = "stored_client_id")]
        pub(crate) client_id: ClientId,
        pub(crate) revision: Revision,
        pub(crate) at: Timestamp,
        pub(crate) consequences: C,
        pub(crate) last_used: Option<Timestamp>,
        pub(crate) use_ahead: Option<Timestamp>,
        pub(crate) last_uses: Vec<SecretUse>,
        pub(crate) obstacles: Vec<Obstacle>,
    }
}

redacted! {
    /// The last use of a secret, as far as it is known and believable (rule 9). An imported secret counts as used when it was
    /// imported.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
    #[serde(deny_unknown_fields)]
    #[non_exhaustive]
    pub struct SecretUse {
        /// The secret.
        pub secret: SecretId,
        /// When it was last used.
        pub at: Timestamp,
    }
}

impl<C> Plan<C> {
    /// Returns the client ID that the plan is about.
    #[must_use]
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// Returns the revision of the client that the plan was made from.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// Returns the instant that the plan was made for.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Returns the last use, as far as it is known and believable: of the secret that the plan is about, or, in a plan to
    /// delete the client ID, of any of its secrets. It is `None` if no use is known. An imported secret counts as used when it
    /// was imported.
    #[must_use]
    pub fn last_used(&self) -> Option<Timestamp> {
        self.last_used
    }

    /// Returns the time of a last use that is more than a minute later than [`at`](Self::at), if there is one. Then the clock
    /// of the node that noted it was wrong, or the clock of this node is: check both before you confirm the plan. Such a time
    /// is not believed and is no obstacle (rule 9); the next use that is noted replaces it.
    #[must_use]
    pub fn use_ahead(&self) -> Option<Timestamp> {
        self.use_ahead
    }

    /// Returns when each secret of the client was last used, in the order of their IDs, as far as is known and believable. A
    /// secret that was never used is left out.
    #[must_use]
    pub fn last_uses(&self) -> &[SecretUse] {
        &self.last_uses
    }

    /// Returns the obstacles. There are none if the plan can be confirmed.
    #[must_use]
    pub fn obstacles(&self) -> &[Obstacle] {
        &self.obstacles
    }

    /// Returns what was decided with the plan, unless it has obstacles.
    pub(crate) fn unobstructed(self, decision: Decision) -> Result<Decision, ConfirmError<C>> {
        if self.obstacles.is_empty() { Ok(decision) } else { Err(ConfirmError::Obstructed(Box::new(self))) }
    }

    /// The last valid secret is the last one that signs as well: saying the first is enough.
    pub(crate) fn obstacles_in_words(&self) -> String {
        let is_last = self.obstacles.iter().any(|obstacle| matches!(obstacle, Obstacle::LastValid));
        let said = |obstacle: &&Obstacle| !(is_last && matches!(obstacle, Obstacle::LastThatSigns));
        self.obstacles.iter().filter(said).map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }
}

/// The reason why a plan was not carried out.
///
/// Nothing was carried out, unless the error is [`Error::Unresolved`](crate::Error::Unresolved): then the change may have been
/// made. `E` is the error for every failure that is not about the plan: an [`Error`](crate::Error) from the registry
/// ([`registry::ConfirmError`](crate::registry::ConfirmError)), a [`Refusal`] from the pure core.
///
/// | variant | what to do |
/// | --- | --- |
/// | `Obstructed` | show the obstacles of the plan that it holds: each says what to do first, or how long to wait |
/// | `Changed` | show the new plan that it holds, and confirm that one if the user agrees |
/// | `Failed` | look at the error that it holds: its [`kind`](crate::Error::kind) says whether to correct the request, look again or try again later |
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfirmError<C, E = Refusal> {
    /// The plan has obstacles. It holds the plan as it is now, whose [`obstacles`](Plan::obstacles) each say what to do.
    #[error("the plan cannot be confirmed: {}", .0.obstacles_in_words())]
    Obstructed(Box<Plan<C>>),
    /// The client or a consequence has changed since the plan was made. It holds the new plan: look at it, and confirm that
    /// one.
    #[error("the client has changed since the plan was made: review the new plan and confirm that one")]
    Changed(Box<Plan<C>>),
    /// The plan could not be carried out for another reason, which the error says.
    #[error(transparent)]
    Failed(#[from] E),
}

impl<C> ConfirmError<C> {
    /// Returns the stable code of this error, in snake case. [The table](crate::ErrorKind#codes) lists all codes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code_or(Refusal::code)
    }

    /// Returns what the caller can do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind_or(Refusal::kind)
    }
}

impl<C, E> ConfirmError<C, E> {
    pub(crate) fn code_or(&self, failed: impl FnOnce(&E) -> &'static str) -> &'static str {
        match self {
            Self::Obstructed(_) => "obstructed",
            Self::Changed(_) => "plan_changed",
            Self::Failed(error) => failed(error),
        }
    }

    pub(crate) fn kind_or(&self, failed: impl FnOnce(&E) -> ErrorKind) -> ErrorKind {
        match self {
            Self::Obstructed(_) | Self::Changed(_) => ErrorKind::Conflict,
            Self::Failed(error) => failed(error),
        }
    }

    pub(crate) fn map_failed<F>(self, map: impl FnOnce(E) -> F) -> ConfirmError<C, F> {
        match self {
            Self::Obstructed(plan) => ConfirmError::Obstructed(plan),
            Self::Changed(plan) => ConfirmError::Changed(plan),
            Self::Failed(error) => ConfirmError::Failed(map(error)),
        }
    }
}

/// The commands that can be planned and confirmed: [`SecretDeletion`], [`SecretDisabling`], [`ClientDeletion`], [`CallingOff`],
/// [`ClosingEarly`] and [`EndMove`]. The trait is sealed: it cannot be implemented outside this crate.
pub trait Planned: sealed::Decide {}

impl<C: sealed::Decide> Planned for C {}

pub(crate) mod sealed {
    use std::fmt::Debug;

    use super::{Client, CommandContext, Decision, LastUses, Plan, Refusal, SecretId};

    /// A command that decides and returns its plan in one step, so that the two cannot differ.
    pub trait Decide: Debug + Sized + PartialEq + Send + Sync + 'static {
        /// Decides the command of these consequences anew.
        fn decide_again(
            &self,
            client: &Client,
            uses: &LastUses,
            context: &CommandContext<'_>,
        ) -> Result<(Plan<Self>, Decision), Refusal>;

        /// Returns the secret that the command is about, if it is about one.
        fn secret_id(&self) -> Option<SecretId>;
    }
}

impl Client {
    /// Carries out a plan, if its consequences still hold and it has no obstacles.
    ///
    /// # Errors
    /// - [`ConfirmError::Obstructed`]: the plan has obstacles. It holds the plan as it is now.
    /// - [`ConfirmError::Changed`]: the client or a consequence has changed since. It holds the new plan.
    /// - [`ConfirmError::Failed`]: a [`Refusal`], for example of a plan for another client ID.
    pub fn confirm<C: Planned>(
        &self,
        plan: &Plan<C>,
        uses: &LastUses,
        context: &CommandContext<'_>,
    ) -> Result<Decision, ConfirmError<C>> {
        if !context.actor.may_act_for(self.owner()) {
            return Err(Refusal::UnknownClient.into());
        }
        if plan.client_id != *self.id() {
            return Err(Refusal::PlanOfAnotherClient.into());
        }
        let (current, transition) = plan.consequences.decide_again(self, uses, context)?;
        if !current.obstacles.is_empty() {
            return Err(ConfirmError::Obstructed(Box::new(current)));
        }
        if current.revision != plan.revision || current.consequences != plan.consequences {
            return Err(ConfirmError::Changed(Box::new(current)));
        }
        Ok(transition)
    }
}
