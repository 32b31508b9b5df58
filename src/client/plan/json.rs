//! The JSON of plans, which go to a browser and back (rule 9).
//!
//! The consequences name their command in `type`, so that a plan is never read as one of another command.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::client::{
    CallingOff, ClientDeletion, ClosingEarly, EndMove, SecretDeletion, SecretDisabling, SecretRemoval,
};
use crate::value::redacted::redacted;
use crate::value::{AddInId, FriendlyName, SecretId, Timestamp};

redacted! {
    /// The consequences of any command, as they are written.
    #[derive(Serialize)]
    #[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
    enum Consequences {
        SecretDeletion(SecretRemoval),
        SecretDisabling(SecretRemoval),
        CallingOff {
            secret: SecretId,
            signs: Option<SecretId>,
            signs_next: Option<SecretId>,
            valid_left: Vec<SecretId>,
            restores: Vec<SecretId>,
        },
        ClosingEarly {
            secret: SecretId,
            signs: Option<SecretId>,
            signs_next: Option<SecretId>,
            valid_left: Vec<SecretId>,
            ends: Vec<SecretId>,
        },
        EndMove {
            secret: SecretId,
            signs: Option<SecretId>,
            signs_next: Option<SecretId>,
            valid_left: Vec<SecretId>,
            until: Timestamp,
            before: Option<Timestamp>,
        },
        ClientDeletion {
            friendly_name: FriendlyName,
            add_ins: Vec<AddInId>,
            valid_secrets: Vec<SecretId>,
        },
    }
}

/// Writes the consequences of a command as those of any, and reads them again if they are of that command.
macro_rules! written_as {
    ($name:ident, $own:pat => $written:expr, $read:pat => $back:expr) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let $own = self.clone();
                $written.serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                match Consequences::deserialize(deserializer)? {
                    $read => Ok($back),
                    _ => Err(D::Error::custom("the plan is of another command")),
                }
            }
        }
    };
}

written_as!(
    SecretDeletion,
    Self { deletes } => Consequences::SecretDeletion(deletes),
    Consequences::SecretDeletion(deletes) => Self { deletes }
);
written_as!(
    SecretDisabling,
    Self { disables } => Consequences::SecretDisabling(disables),
    Consequences::SecretDisabling(disables) => Self { disables }
);
written_as!(
    CallingOff,
    Self { calls_off: SecretRemoval { secret, signs, signs_next, valid_left }, restores } =>
        Consequences::CallingOff { secret, signs, signs_next, valid_left, restores },
    Consequences::CallingOff { secret, signs, signs_next, valid_left, restores } =>
        Self { calls_off: SecretRemoval { secret, signs, signs_next, valid_left }, restores }
);
written_as!(
    ClosingEarly,
    Self { closes: SecretRemoval { secret, signs, signs_next, valid_left }, ends } =>
        Consequences::ClosingEarly { secret, signs, signs_next, valid_left, ends },
    Consequences::ClosingEarly { secret, signs, signs_next, valid_left, ends } =>
        Self { closes: SecretRemoval { secret, signs, signs_next, valid_left }, ends }
);
written_as!(
    EndMove,
    Self { moves: SecretRemoval { secret, signs, signs_next, valid_left }, until, before } =>
        Consequences::EndMove { secret, signs, signs_next, valid_left, until, before },
    Consequences::EndMove { secret, signs, signs_next, valid_left, until, before } =>
        Self { moves: SecretRemoval { secret, signs, signs_next, valid_left }, until, before }
);
written_as!(
    ClientDeletion,
    Self { friendly_name, add_ins, valid_secrets } =>
        Consequences::ClientDeletion { friendly_name, add_ins, valid_secrets },
    Consequences::ClientDeletion { friendly_name, add_ins, valid_secrets } =>
        Self { friendly_name, add_ins, valid_secrets }
);
