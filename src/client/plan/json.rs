//! The JSON of plans, which go to a browser and back (rule 9).
//!
//! The consequences name their command in `type`, so that a plan is never read as one of another command.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::client::{ClientDeletion, SecretDeletion, SecretDisabling, SecretRemoval};
use crate::value::redacted::redacted;
use crate::value::{AddInId, FriendlyName, SecretId};

redacted! {
    /// The consequences of any command, as they are written.
    #[derive(Serialize)]
    #[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
    enum Consequences {
        SecretDeletion(SecretRemoval),
        SecretDisabling(SecretRemoval),
        ClientDeletion {
            friendly_name: FriendlyName,
            add_ins: Vec<AddInId>,
            valid_secrets: Vec<SecretId>,
        },
    }
}

impl Serialize for SecretDeletion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Consequences::SecretDeletion(self.deletes.clone()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SecretDeletion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Consequences::deserialize(deserializer)? {
            Consequences::SecretDeletion(deletes) => Ok(Self { deletes }),
            _ => Err(D::Error::custom(OTHER_COMMAND)),
        }
    }
}

impl Serialize for SecretDisabling {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Consequences::SecretDisabling(self.disables.clone()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SecretDisabling {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Consequences::deserialize(deserializer)? {
            Consequences::SecretDisabling(disables) => Ok(Self { disables }),
            _ => Err(D::Error::custom(OTHER_COMMAND)),
        }
    }
}

impl Serialize for ClientDeletion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { friendly_name, add_ins, valid_secrets } = self.clone();
        Consequences::ClientDeletion { friendly_name, add_ins, valid_secrets }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ClientDeletion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Consequences::deserialize(deserializer)? {
            Consequences::ClientDeletion { friendly_name, add_ins, valid_secrets } => {
                Ok(Self { friendly_name, add_ins, valid_secrets })
            }
            _ => Err(D::Error::custom(OTHER_COMMAND)),
        }
    }
}

const OTHER_COMMAND: &str = "the plan is of another command";
