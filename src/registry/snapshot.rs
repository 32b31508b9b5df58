//! `Snapshot`: a client as it is at one moment, with the last uses of its secrets. It is a copy, and does not change.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::client::{Client, LastUses, Signing};
use crate::review::Finding;
use crate::value::{Policy, SecretId, Timestamp};

/// A client as of one revision, with the instant that it was looked at and the last uses of its secrets.
///
/// [`ClientHandle::snapshot`](crate::ClientHandle::snapshot) returns it. It is a copy: later changes of the client do not
/// change it. Its [JSON](crate::json) is the client's [view](Client::view) at that instant, with the findings of a review under
/// the policy of the registry.
#[derive(Clone)]
pub struct Snapshot {
    client: Arc<Client>,
    at: Timestamp,
    uses: LastUses,
    policy: Arc<Policy>,
}

impl Snapshot {
    pub(super) fn new(client: Arc<Client>, at: Timestamp, uses: LastUses, policy: Arc<Policy>) -> Self {
        Self { client, at, uses, policy }
    }

    /// Returns the client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Returns the instant at which the client was looked at: the reading of the clock, or the last change of the client if
    /// that is later (rule 19; see [`Client::instant`]).
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Returns which secret signs at that instant, and why (rule 6).
    #[must_use]
    pub fn signing(&self) -> Signing {
        self.client().signing_at(self.at)
    }

    /// Returns what the seller should know at that instant, under the policy of the registry; see [`Client::review`].
    #[must_use]
    pub fn review(&self) -> Vec<Finding> {
        self.client().review(&self.uses, &self.policy, self.at)
    }

    /// Returns when a secret was last used, as far as is known (rule 9); `None` if no use is known. The time is the one that
    /// was noted. If the noting node's clock was wrong, it may be later than [`at`](Self::at); a plan does not believe such a
    /// time ([`Plan::use_ahead`](crate::Plan::use_ahead)).
    #[must_use]
    pub fn last_used(&self, secret: SecretId) -> Option<Timestamp> {
        self.uses.of(secret)
    }

    pub(super) fn uses(&self) -> &LastUses {
        &self.uses
    }
}

impl Serialize for Snapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.client().view(&self.uses, &self.policy, self.at).serialize(serializer)
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("client", self.client())
            .field("at", &self.at)
            .field("uses", &self.uses)
            .finish_non_exhaustive()
    }
}
