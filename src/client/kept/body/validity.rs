//! A validity as a body has it. Names, order and bytes must not change.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::value::{Timestamp, Validity};

#[derive(Serialize, Deserialize)]
struct Stored {
    from: Timestamp,
    #[serde(deserialize_with = "Option::deserialize")]
    until: Option<Timestamp>,
}

pub(super) fn serialize<S: Serializer>(validity: &Validity, to: S) -> Result<S::Ok, S::Error> {
    Stored { from: validity.from(), until: validity.until() }.serialize(to)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Validity, D::Error> {
    let Stored { from, until } = Stored::deserialize(from)?;
    Validity::new(from, until).map_err(D::Error::custom)
}
