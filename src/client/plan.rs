//! Plans: what a command would do, to be reviewed and then confirmed (rules 9 and 13).
//!
//! A plan and its command are one piece of code, and confirming decides anew. So a plan may be sent, stored, shown in a dialog
//! or even forged: nothing in it is believed, and it does not expire. If the client or a consequence has changed, the new plan
//! is returned instead.
//!
//! A plan sees the last use of a secret on its own node at once, on another node that follows the feed
//! ([`Registry::keep_fresh`](crate::Registry::keep_fresh)) after at most a minute, and on any other node when the application
//! [writes it](crate::Registry::flush_last_uses). So a secret that was used elsewhere less than a minute ago, and not in the week
//! before, can be deleted. The [`last_use_interval`](crate::RegistryBuilder::last_use_interval) comes on top of that minute.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::client::{Client, CommandContext, Decision, LastUses, Refusal};
use crate::value::client_id::stored_client_id;
use crate::value::redacted::redacted;
use crate::value::{AddInId, ClientId, ErrorKind, FriendlyName, Revision, SecretId, Timestamp};

redacted! {
    /// A plan: the consequences and obstacles of a command that was not carried out yet.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    #[must_use = "nothing has changed until the plan is confirmed"]
    pub struct Plan<C> {
        #[serde(deserialize_with = "stored_client_id")]
        pub(crate) client_id: ClientId,
        pub(crate) revision: Revision,
        pub(crate) at: Timestamp,
        pub(crate) consequences: C,
        pub(crate) last_used: Option<Timestamp>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub(crate) use_ahead: Option<Timestamp>,
        pub(crate) obstacles: Vec<Obstacle>,
    }
}

redacted! {
    /// The consequences of deleting a secret (rule 9).
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct SecretDeletion {
        pub(crate) deletes: SecretRemoval,
    }
}

redacted! {
    /// The consequences of disabling a secret (rules 9 and 12).
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct SecretDisabling {
        pub(crate) disables: SecretRemoval,
    }
}

/// The consequences of taking a secret out of use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SecretRemoval {
    pub(crate) secret: SecretId,
    pub(crate) signs: Option<SecretId>,
    pub(crate) signs_next: Option<SecretId>,
    pub(crate) valid_left: Vec<SecretId>,
}

redacted! {
    /// The consequences of deleting a client ID (rule 13).
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct ClientDeletion {
        pub(crate) friendly_name: FriendlyName,
        pub(crate) add_ins: Vec<AddInId>,
        pub(crate) valid_secrets: Vec<SecretId>,
    }
}

redacted! {
    /// An obstacle: a reason why a plan cannot be confirmed now.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
    #[serde(rename_all = "snake_case")]
    #[non_exhaustive]
    pub enum Obstacle {
        /// The secret is the last valid one: the add-in could no longer authenticate. Add another one first.
        LastValid,
        /// The secret is the last valid one that can sign: the platform could no longer sign for the add-in. Add another one
        /// first.
        LastThatSigns,
        /// The secret was used recently, so something still needs it. Wait until this instant.
        UsedRecently {
            /// When it will have been unused for [`Policy::retire_after`](crate::Policy::retire_after).
            until: Timestamp,
        },
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LastValid => f.write_str("it is the last valid secret: add another one first"),
            Self::LastThatSigns => {
                f.write_str("it is the last valid secret that can sign: add another one first")
            }
            Self::UsedRecently { until } => {
                write!(
                    f,
                    "it was used recently: unless it is used again, it can be deleted at {until} or later"
                )
            }
        }
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

    /// Returns when the secret was last used, or any secret of the client that would be deleted, as far as is known and
    /// believable. An imported secret counts as used at its import.
    #[must_use]
    pub fn last_used(&self) -> Option<Timestamp> {
        self.last_used
    }

    /// Returns the time of a last use that lies more than a minute after [`at`](Self::at), if there is one: the clock of the
    /// node that noted it was wrong, or the clock of this node is. Such a time is not believed and is no obstacle (rule 9); the
    /// next noted use replaces it. Check the clocks before confirming.
    #[must_use]
    pub fn use_ahead(&self) -> Option<Timestamp> {
        self.use_ahead
    }

    /// Returns the obstacles. There are none if the plan can be confirmed.
    #[must_use]
    pub fn obstacles(&self) -> &[Obstacle] {
        &self.obstacles
    }

    pub(crate) fn obstacles_in_words(&self) -> String {
        self.obstacles.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }
}

/// Implements the accessors of a plan about one secret.
macro_rules! plan_of_secret {
    ($consequences:ty, $field:ident) => {
        impl Plan<$consequences> {
            /// Returns the secret.
            #[must_use]
            pub fn secret(&self) -> SecretId {
                self.consequences.$field.secret
            }

            /// Returns the secret that signs now.
            #[must_use]
            pub fn signs(&self) -> Option<SecretId> {
                self.consequences.$field.signs
            }

            /// Returns the secret that signs once the plan is confirmed, or `None` if none would.
            #[must_use]
            pub fn signs_next(&self) -> Option<SecretId> {
                self.consequences.$field.signs_next
            }

            /// Returns the valid secrets that are left once the plan is confirmed, in the order of their IDs.
            #[must_use]
            pub fn valid_left(&self) -> &[SecretId] {
                &self.consequences.$field.valid_left
            }
        }
    };
}

plan_of_secret!(SecretDeletion, deletes);
plan_of_secret!(SecretDisabling, disables);

impl Plan<ClientDeletion> {
    /// Returns the friendly name, which becomes free.
    #[must_use]
    pub fn friendly_name(&self) -> &FriendlyName {
        &self.consequences.friendly_name
    }

    /// Returns the add-ins that lose access.
    #[must_use]
    pub fn add_ins(&self) -> &[AddInId] {
        &self.consequences.add_ins
    }

    /// Returns the valid secrets that are deleted with the client.
    #[must_use]
    pub fn valid_secrets(&self) -> &[SecretId] {
        &self.consequences.valid_secrets
    }
}

/// The reason why a plan was not carried out. The client is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unconfirmed<C> {
    /// The plan has obstacles; this is the plan as of now.
    #[error("the plan cannot be confirmed: {}", .0.obstacles_in_words())]
    Obstructed(Box<Plan<C>>),
    /// The client or a consequence has changed: review the new plan and confirm that one.
    #[error("the client has changed since the plan was made: review the new plan and confirm that one")]
    Changed(Box<Plan<C>>),
    /// A rule stands against the command.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl<C> Unconfirmed<C> {
    /// Returns the stable code of this error, in snake case. [The table](crate::ErrorKind#codes) lists all codes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Obstructed(_) => "obstructed",
            Self::Changed(_) => "plan_changed",
            Self::Refused(refusal) => refusal.code(),
        }
    }

    /// Returns what the caller can do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Obstructed(_) | Self::Changed(_) => ErrorKind::Conflict,
            Self::Refused(refusal) => refusal.kind(),
        }
    }
}

/// The consequences that can be planned and confirmed: [`SecretDeletion`], [`SecretDisabling`] and [`ClientDeletion`].
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
    /// [`Unconfirmed`] with the plan as it would be made now, or with a [`Refusal`].
    pub fn confirm<C: Planned>(
        &self,
        plan: &Plan<C>,
        uses: &LastUses,
        context: &CommandContext<'_>,
    ) -> Result<Decision, Unconfirmed<C>> {
        if !context.actor.may_act_for(self.owner()) {
            return Err(Refusal::UnknownClient.into());
        }
        if plan.client_id != *self.id() {
            return Err(Refusal::PlanOfAnotherClient.into());
        }
        let (current, transition) = plan.consequences.decide_again(self, uses, context)?;
        if !current.obstacles.is_empty() {
            return Err(Unconfirmed::Obstructed(Box::new(current)));
        }
        if current.revision != plan.revision || current.consequences != plan.consequences {
            return Err(Unconfirmed::Changed(Box::new(current)));
        }
        Ok(transition)
    }
}
