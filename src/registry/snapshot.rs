//! A client as it is at one moment, for whoever looks at it.

use std::fmt;
use std::sync::Arc;

use crate::client::{Client, LastUses, Signing};
use crate::record::LiveClient;
use crate::registry::Unreadable;
use crate::review::Finding;
use crate::value::{ClientId, Policy, SecretId, Timestamp};

/// A client as of one revision, with the instant that it was looked at and when its secrets were last used.
#[derive(Clone)]
pub struct Snapshot {
    live: Arc<LiveClient>,
    at: Timestamp,
    uses: LastUses,
}

impl Snapshot {
    pub(super) fn new(live: Arc<LiveClient>, at: Timestamp, uses: LastUses) -> Self {
        Self { live, at, uses }
    }

    /// The client.
    #[must_use]
    pub fn client(&self) -> &Client {
        self.live.client()
    }

    /// The instant that it was looked at, as [`Client::instant`] says (rule 19).
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Which secret signs at that instant, and why.
    #[must_use]
    pub fn signing(&self) -> Signing {
        self.client().signing_at(self.at)
    }

    /// What its seller should know at that instant; see [`Client::review`]. The policy is
    /// [`Registry::policy`](crate::Registry::policy).
    #[must_use]
    pub fn review(&self, policy: &Policy) -> Vec<Finding> {
        self.client().review(&self.uses, policy, self.at)
    }

    /// Returns when a secret was last used, as far as is known (rule 9). As it was noted: under a clock that was wrong it may lie
    /// after [`at`](Self::at), and then a plan does not believe it ([`Plan::use_ahead`](crate::Plan::use_ahead)).
    #[must_use]
    pub fn last_used(&self, secret: SecretId) -> Option<Timestamp> {
        self.uses.of(secret)
    }

    pub(super) fn uses(&self) -> &LastUses {
        &self.uses
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("client", self.client())
            .field("at", &self.at)
            .field("uses", &self.uses)
            .finish()
    }
}

/// Some clients, in the order of their IDs, those that could not be read, and where to go on.
#[derive(Debug, Clone)]
pub struct ClientPage {
    pub(super) clients: Vec<Snapshot>,
    pub(super) unreadable: Vec<Unreadable>,
    pub(super) next: Option<ClientId>,
}

impl ClientPage {
    /// The clients. There may be fewer than asked for, even none, though more follow: those that were deleted are left
    /// out.
    #[must_use]
    pub fn clients(&self) -> &[Snapshot] {
        &self.clients
    }

    /// The clients that the list leads to and that could not be read, each with the reason, in the order of their IDs.
    #[must_use]
    pub fn unreadable(&self) -> &[Unreadable] {
        &self.unreadable
    }

    /// What to ask for the next page with; `None` after the last one.
    #[must_use]
    pub fn next(&self) -> Option<&ClientId> {
        self.next.as_ref()
    }
}
