//! A record that was opened: the live client, or the tombstone of a deleted one.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::client::{Client, ClientState, Refusal, Tombstone};
use crate::event::EventHash;
use crate::value::{ClientId, Revision, SellerId, Timestamp};

/// The client or the tombstone that a client ID refers to, shared. Cloning is cheap.
#[derive(Clone)]
pub(crate) enum Opened {
    Active(Arc<LiveClient>),
    Deleted(Arc<Tombstone>),
}

impl Opened {
    pub(crate) fn new(state: ClientState) -> Self {
        match state {
            ClientState::Active(client) => Self::Active(Arc::new(LiveClient::new(client))),
            ClientState::Deleted(tombstone) => Self::Deleted(Arc::new(tombstone)),
        }
    }

    /// Returns the client, unless it was deleted.
    pub(crate) fn client(&self) -> Result<&Client, Refusal> {
        match self {
            Self::Active(live) => Ok(live.client()),
            Self::Deleted(_) => Err(Refusal::ClientDeleted),
        }
    }

    pub(crate) fn client_id(&self) -> &ClientId {
        match self {
            Self::Active(live) => live.client().id(),
            Self::Deleted(tombstone) => tombstone.id(),
        }
    }

    pub(crate) fn owner(&self) -> &SellerId {
        match self {
            Self::Active(live) => live.client().owner(),
            Self::Deleted(tombstone) => tombstone.owner(),
        }
    }

    pub(crate) fn revision(&self) -> Revision {
        match self {
            Self::Active(live) => live.client().revision(),
            Self::Deleted(tombstone) => tombstone.revision(),
        }
    }

    pub(crate) fn changed_at(&self) -> Timestamp {
        match self {
            Self::Active(live) => live.client().changed_at(),
            Self::Deleted(tombstone) => tombstone.changed_at(),
        }
    }

    /// Returns the hash of the latest event (rule 16).
    pub(crate) fn head(&self) -> EventHash {
        match self {
            Self::Active(live) => live.client().head(),
            Self::Deleted(tombstone) => tombstone.head(),
        }
    }
}

/// A client in memory, with the time of the last reported use of each secret.
///
/// These times only save work, so that a secret in constant use is not reported constantly. Losing one costs one more report.
pub(crate) struct LiveClient {
    client: Client,
    reported: Box<[AtomicI64]>,
}

impl LiveClient {
    fn new(client: Client) -> Self {
        let reported = client.secrets().map(|_| AtomicI64::new(i64::MIN)).collect();
        Self { client, reported }
    }

    #[inline]
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Returns whether a use at `at` of the secret at a position [is due](is_due) to be reported. Of concurrent callers, one is
    /// told so.
    #[inline]
    pub(crate) fn should_report(&self, position: usize, at: Timestamp, interval: i64) -> bool {
        let Some(reported) = self.reported.get(position) else {
            return true;
        };
        let mut last = reported.load(Ordering::Relaxed);
        while is_due(at.as_millis(), last, interval) {
            match reported.compare_exchange(last, at.as_millis(), Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(found) => last = found,
            }
        }
        false
    }
}

/// Returns whether a use at `at` should be noted if the last one was at `last`, all in milliseconds: no use was noted within
/// the interval, or the last one lies so far ahead that it cannot be believed (rule 9).
#[inline]
pub(crate) fn is_due(at: i64, last: i64, interval: i64) -> bool {
    at >= last.saturating_add(interval) || last.saturating_sub(at) > MAX_LEAD_MILLIS
}

/// [`believable_until`](crate::client::believable_until) in milliseconds.
const MAX_LEAD_MILLIS: i64 = 60_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_09_a_use_is_due_after_the_interval_and_over_one_that_cannot_be_believed() {
        for (at, due) in [
            (1_299, false),
            (1_300, true),
            // The last one is ahead: as far as another clock may be, and further.
            (1_000 - MAX_LEAD_MILLIS, false),
            (999 - MAX_LEAD_MILLIS, true),
        ] {
            assert_eq!(is_due(at, 1_000, 300), due, "{at}");
        }
    }
}
