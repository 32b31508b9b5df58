//! The actor behind a command, and what it may see (rule 15).

use std::fmt;

use serde::Serialize;

use crate::value::redacted::redacted;
use crate::value::{OperatorId, SellerId};

redacted! {
    /// The seller or operator behind a command; every event names one (rule 16).
    ///
    /// Exhaustive on purpose: code that decides what an actor may do has to decide it for each kind.
    #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
    #[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
    pub enum Actor {
        /// A seller, which sees and changes only its own client IDs (rule 15).
        Seller(#[serde(with = "crate::value::member::id")] SellerId),
        /// An operator, who may act on every client ID.
        Operator(#[serde(with = "crate::value::member::id")] OperatorId),
    }
}

impl Actor {
    /// Returns whether the actor may see and change what `owner` owns (rule 15).
    #[must_use]
    pub fn may_act_for(&self, owner: &SellerId) -> bool {
        match self {
            Self::Seller(seller) => seller == owner,
            Self::Operator(_) => true,
        }
    }

    pub(crate) fn is_operator(&self) -> bool {
        matches!(self, Self::Operator(_))
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seller(id) => write!(f, "seller {id}"),
            Self::Operator(id) => write!(f, "operator {id}"),
        }
    }
}
