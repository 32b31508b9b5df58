//! How far a change reaches, for a store that touches only the rows that are different.
//!
//! It is a guess from the events of the change, and nothing depends on it: a statement that relies on it writes only where it is
//! right, and otherwise the store writes all rows.

use crate::event::{Event, Fact};
use crate::value::SecretId;

/// The part of the entries by which a client is found that a change may alter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reach {
    /// At most the ends of these secrets.
    Secrets(Vec<SecretId>),
    /// Anything, also its name and its add-ins.
    Everything,
}

impl Reach {
    /// Returns how far the facts of one change reach.
    pub(super) fn of(events: &[Event]) -> Self {
        let mut secrets = Vec::new();
        for event in events {
            match event.fact() {
                Fact::SecretDisabled { .. }
                | Fact::SecretEnabled { .. }
                | Fact::SecretCompromised { .. }
                | Fact::SecretPromoted { .. }
                | Fact::PromotionScheduled { .. }
                | Fact::PromotionWithdrawn { .. }
                | Fact::PromotionRestored { .. }
                | Fact::RotationCalledOff { .. }
                | Fact::AttributesChanged { .. }
                | Fact::ClientSuspended { .. }
                | Fact::ClientResumed { .. } => {}
                Fact::SecretAdded { secret, .. }
                | Fact::SecretReplaced { secret, .. }
                | Fact::SecretRestored { secret, .. }
                | Fact::EndMoved { secret, .. }
                | Fact::SecretDeleted { secret }
                | Fact::SecretForgotten { secret } => secrets.push(*secret),
                Fact::ClientRegistered { .. }
                | Fact::ClientImported { .. }
                | Fact::DetailsChanged { .. }
                | Fact::AddInAssociated { .. }
                | Fact::AddInDissociated { .. }
                | Fact::AddInMovedIn { .. }
                | Fact::AddInMovedOut { .. }
                | Fact::ClientTransferred { .. }
                | Fact::ClientDeleted { .. } => return Self::Everything,
            }
        }
        Self::Secrets(secrets)
    }
}
