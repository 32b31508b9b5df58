//! What stands in the way of a plan (rule 9).
//!
//! The JSON of an obstacle has words for people. They are accepted when a plan comes back, and nothing is made of them.

use std::fmt;

use serde::de::{Error, IgnoredAny};
use serde::{Deserialize, Deserializer};

use crate::value::Timestamp;
use crate::value::object::Object;
use crate::value::redacted::redact;
use crate::value::report::report;

report! {
    /// An obstacle: a reason why a plan cannot be confirmed now.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    #[non_exhaustive]
    pub enum Obstacle {
        /// No other secret is valid, so the add-in could no longer authenticate. Add another one first.
        LastValid,
        /// No other valid secret can sign, so the platform could no longer sign for the add-in. Add one that can sign first.
        LastThatSigns,
        /// The secret was used within [`Policy::retire_after`](crate::Policy::retire_after) (7 days by default), so some part
        /// of the add-in still needs it. Find that part and change it over, or wait.
        UsedRecently {
            /// The instant from which the secret can be taken out of use, unless it is used again before. Its end can be moved to
            /// this instant or a later one at once.
            until: Timestamp,
        },
    }
    with code: &'static str;
}

impl Obstacle {
    /// Returns the stable code of the obstacle, in snake case: the `type` of its JSON.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::LastValid => "last_valid",
            Self::LastThatSigns => "last_that_signs",
            Self::UsedRecently { .. } => "used_recently",
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LastValid => f.write_str(
                "no other secret is valid, so the add-in could no longer authenticate: add another one first",
            ),
            Self::LastThatSigns => f.write_str(
                "no other valid secret can sign, so the platform could no longer sign for the add-in: add one that can sign first",
            ),
            Self::UsedRecently { until } => {
                write!(
                    f,
                    "a secret that would stop working was used recently: unless it is used again, it can be taken out of use at {until} or later"
                )
            }
        }
    }
}

/// An obstacle as it is read.
#[derive(Deserialize)]
#[serde(rename = "Obstacle", deny_unknown_fields)]
struct UncheckedObstacle {
    r#type: Kind,
    until: Option<Timestamp>,
    #[serde(rename = "code")]
    _code: Option<IgnoredAny>,
    #[serde(rename = "message")]
    _message: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    LastValid,
    LastThatSigns,
    UsedRecently,
}

impl<'de> Deserialize<'de> for Obstacle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let unchecked = UncheckedObstacle::deserialize(Object(deserializer));
        let UncheckedObstacle { r#type, until, .. } = unchecked.map_err(|error| redact(error, "Obstacle"))?;
        match (r#type, until) {
            (Kind::LastValid, None) => Ok(Self::LastValid),
            (Kind::LastThatSigns, None) => Ok(Self::LastThatSigns),
            (Kind::UsedRecently, Some(until)) => Ok(Self::UsedRecently { until }),
            (Kind::UsedRecently, None) => Err(D::Error::missing_field("until")),
            (_, Some(_)) => Err(D::Error::custom("unknown field, only `used_recently` has `until`")),
        }
    }
}
