//! What each planned command would do, and how its plan says so (rules 9, 11, 12, 13 and 21).

use serde::{Deserialize, Serialize};

use super::Plan;
use crate::value::{AddInId, FriendlyName, SecretId, Timestamp};

/// The consequences of deleting a secret (rule 9). The methods of `Plan<SecretDeletion>` show them: see [`Plan`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretDeletion {
    pub(crate) deletes: SecretRemoval,
}

/// The consequences of disabling a secret (rules 9 and 12). The methods of `Plan<SecretDisabling>` show them: see [`Plan`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretDisabling {
    pub(crate) disables: SecretRemoval,
}

/// The consequences of calling off a rotation: the new secret is deleted, and the secrets that it replaced get back their
/// former ends (rule 11). The methods of `Plan<CallingOff>` show them: see [`Plan`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallingOff {
    pub(crate) calls_off: SecretRemoval,
    pub(crate) restores: Vec<SecretId>,
}

/// The consequences of closing a rotation early: the secrets that were replaced end now (rule 11). The methods of
/// `Plan<ClosingEarly>` show them: see [`Plan`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosingEarly {
    /// Of the new secret, which stays.
    pub(crate) closes: SecretRemoval,
    pub(crate) ends: Vec<SecretId>,
}

/// The consequences of moving the end of a secret, as they are at the new end (rule 21). The methods of `Plan<EndMove>` show
/// them: see [`Plan`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndMove {
    pub(crate) moves: SecretRemoval,
    pub(crate) until: Timestamp,
    pub(crate) before: Option<Timestamp>,
}

/// Who signs and which secrets are valid, before and after a secret is taken out of use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecretRemoval {
    pub(crate) secret: SecretId,
    pub(crate) signs: Option<SecretId>,
    pub(crate) signs_next: Option<SecretId>,
    pub(crate) valid_left: Vec<SecretId>,
}

/// The consequences of deleting a client ID (rule 13). The methods of `Plan<ClientDeletion>` show them: see [`Plan`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientDeletion {
    pub(crate) friendly_name: FriendlyName,
    pub(crate) add_ins: Vec<AddInId>,
    pub(crate) valid_secrets: Vec<SecretId>,
}

/// Implements the accessors of a plan about one secret.
macro_rules! plan_of_secret {
    ($consequences:ty, $field:ident, $secret:literal) => {
        impl Plan<$consequences> {
            #[doc = $secret]
            #[must_use]
            pub fn secret(&self) -> SecretId {
                self.consequences.$field.secret
            }

            /// Returns the secret that signs now; in a plan to move an end, the secret that would sign at the new end.
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

plan_of_secret!(SecretDeletion, deletes, "Returns the secret.");
plan_of_secret!(SecretDisabling, disables, "Returns the secret.");
plan_of_secret!(CallingOff, calls_off, "Returns the new secret, which is deleted.");
plan_of_secret!(ClosingEarly, closes, "Returns the new secret, which stays.");
plan_of_secret!(EndMove, moves, "Returns the secret whose end is moved.");

impl Plan<CallingOff> {
    /// Returns the secrets that get back their former ends and scheduled promotions, in the order of their IDs.
    #[must_use]
    pub fn restores(&self) -> &[SecretId] {
        &self.consequences.restores
    }
}

impl Plan<ClosingEarly> {
    /// Returns the secrets that end now, in the order of their IDs.
    #[must_use]
    pub fn ends(&self) -> &[SecretId] {
        &self.consequences.ends
    }
}

impl Plan<EndMove> {
    /// Returns the new end.
    #[must_use]
    pub fn until(&self) -> Timestamp {
        self.consequences.until
    }

    /// Returns the present end; `None` if there is none.
    #[must_use]
    pub fn before(&self) -> Option<Timestamp> {
        self.consequences.before
    }
}

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
