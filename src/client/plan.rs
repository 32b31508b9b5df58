//! Plans: what a command would do, to be looked at and then confirmed (rules 9 and 13).
//!
//! A plan knows the last use of a secret on its own node at once, on another node that follows the feed
//! ([`Registry::keep_fresh`](crate::Registry::keep_fresh)) after a minute at most, and on any other node when its application
//! [writes it](crate::Registry::flush_last_uses). So a secret that was used elsewhere less than a minute ago, and not within
//! the week before, can be deleted; how often one use is noted
//! ([`last_use_interval`](crate::RegistryBuilder::last_use_interval)) comes on top of it.
//!
//! That holds while the clocks of the nodes agree. A node whose clock is days behind takes the true uses that other nodes note
//! for uses that have not been yet: where it notes one itself, the earlier time replaces the later one, and a secret in use can
//! look unused for that long. Keep the clocks of all nodes together, and look at them before you confirm a plan that surprises
//! you.
//!
//! The plan to delete a client ID ([`ClientDeletion`]) never has obstacles: it can be confirmed although the client ID has valid
//! secrets that are in use. It says which secrets and add-ins that would cut off, and when one of the secrets was last used; look
//! at that before you confirm. It comes back as [`Unconfirmed::Changed`] if the client has changed since.
//!
//! A plan and its command are one piece of code: confirming decides anew. So a plan may travel, be stored, be shown in
//! a dialog or be forged: nothing it says is believed, and it does not grow old. If the client or a consequence has
//! changed in the meantime, the new plan comes back instead.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::client::{Client, CommandContext, Decision, LastUses, Refusal};
use crate::value::id::stored_client_id;
use crate::value::redacted::redacted;
use crate::value::{AddInId, ClientId, ErrorKind, FriendlyName, Revision, SecretId, Timestamp};

redacted! {
    /// What a command would do, with its consequences and with what stands in its way.
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
    /// What deleting a secret comes to (rule 9).
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct SecretDeletion {
        pub(crate) deletes: SecretRemoval,
    }
}

redacted! {
    /// What disabling a secret comes to (rules 9 and 12).
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct SecretDisabling {
        pub(crate) disables: SecretRemoval,
    }
}

/// What taking a secret out of use comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SecretRemoval {
    pub(crate) secret: SecretId,
    pub(crate) signs: Option<SecretId>,
    pub(crate) signs_next: Option<SecretId>,
    pub(crate) valid_left: Vec<SecretId>,
}

redacted! {
    /// What deleting a client ID comes to (rule 13).
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    pub struct ClientDeletion {
        pub(crate) friendly_name: FriendlyName,
        pub(crate) add_ins: Vec<AddInId>,
        pub(crate) valid_secrets: Vec<SecretId>,
    }
}

redacted! {
    /// What stands in the way of a plan. Confirming is refused while there is any.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
    #[serde(rename_all = "snake_case")]
    #[non_exhaustive]
    pub enum Obstacle {
        /// It is the last valid secret: the add-in would be cut off. Add another one first.
        LastValid,
        /// It is the last valid secret that can sign: the add-in would hear nothing. Add another one first.
        LastThatSigns,
        /// It was used a short while ago, so somebody still needs it. Wait until this instant after its last use.
        UsedRecently {
            /// When it will have been out of use for [`Policy::retire_after`](crate::Policy::retire_after).
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
                    "it was used a short while ago: unless it is used again, it can be deleted from {until} on"
                )
            }
        }
    }
}

impl<C> Plan<C> {
    /// The client ID that it is about.
    #[must_use]
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// The revision that it was made from.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// The instant that it was made for.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Returns when the secret, or any secret of the client, was last used, as far as is known and can be believed. An imported
    /// secret counts as used at its import.
    #[must_use]
    pub fn last_used(&self) -> Option<Timestamp> {
        self.last_used
    }

    /// Returns the time of a last use that lies more than a minute after [`at`](Self::at), if one is known: the clock of the
    /// node that noted it was wrong, or the clock of this node is. It is not believed and stands in the way of nothing
    /// (rule 9); the next use that is noted replaces it. Look at the clocks before confirming.
    #[must_use]
    pub fn use_ahead(&self) -> Option<Timestamp> {
        self.use_ahead
    }

    /// What stands in the way. Empty when the plan can be confirmed.
    #[must_use]
    pub fn obstacles(&self) -> &[Obstacle] {
        &self.obstacles
    }

    pub(crate) fn obstacles_in_words(&self) -> String {
        self.obstacles.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }
}

/// What a plan about one secret says.
macro_rules! plan_of_secret {
    ($consequences:ty, $field:ident) => {
        impl Plan<$consequences> {
            /// The secret.
            #[must_use]
            pub fn secret(&self) -> SecretId {
                self.consequences.$field.secret
            }

            /// Which secret signs now.
            #[must_use]
            pub fn signs(&self) -> Option<SecretId> {
                self.consequences.$field.signs
            }

            /// Which secret signs once the plan is confirmed; `None` when nothing would.
            #[must_use]
            pub fn signs_next(&self) -> Option<SecretId> {
                self.consequences.$field.signs_next
            }

            /// The valid secrets that are left once the plan is confirmed, in the order of their IDs.
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
    /// The name that will be free again.
    #[must_use]
    pub fn friendly_name(&self) -> &FriendlyName {
        &self.consequences.friendly_name
    }

    /// The add-ins that lose access.
    #[must_use]
    pub fn add_ins(&self) -> &[AddInId] {
        &self.consequences.add_ins
    }

    /// The secrets that are valid now and will be gone.
    #[must_use]
    pub fn valid_secrets(&self) -> &[SecretId] {
        &self.consequences.valid_secrets
    }
}

/// Why a plan was not carried out. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unconfirmed<C> {
    /// Something stands in the way; the plan says what, as of now.
    #[error("something stands in the way: {}", .0.obstacles_in_words())]
    Obstructed(Box<Plan<C>>),
    /// The client or a consequence has changed: look at the new plan, and confirm that one.
    #[error("the client has changed since the plan was made: look at the new plan and confirm that one")]
    Changed(Box<Plan<C>>),
    /// A rule stands against it.
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

    /// What the caller can do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Obstructed(_) | Self::Changed(_) => ErrorKind::Conflict,
            Self::Refused(refusal) => refusal.kind(),
        }
    }
}

/// What can be planned and confirmed: [`SecretDeletion`], [`SecretDisabling`] and [`ClientDeletion`].
pub trait Planned: sealed::Decide {}

impl<C: sealed::Decide> Planned for C {}

pub(crate) mod sealed {
    use std::fmt::Debug;

    use super::{Client, CommandContext, Decision, LastUses, Plan, Refusal, SecretId};

    /// A command that decides and, in the same breath, says what it would do.
    pub trait Decide: Debug + Sized + PartialEq + Send + Sync + 'static {
        /// Decides once more what these consequences were decided for.
        fn decide_again(
            &self,
            client: &Client,
            uses: &LastUses,
            context: &CommandContext<'_>,
        ) -> Result<(Plan<Self>, Decision), Refusal>;

        /// The secret that it is about, if it is about one.
        fn secret_id(&self) -> Option<SecretId>;
    }
}

impl Client {
    /// Carries out a plan, if what it says still holds and nothing stands in its way.
    ///
    /// # Errors
    /// [`Unconfirmed`] holds the plan as it would be made now, or a [`Refusal`].
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
