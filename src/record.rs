//! A client as a store keeps it.
//!
//! A store moves records about and never looks inside: a record has an ID and a revision and nothing else to see. In
//! memory it is the live client itself, so that authenticating costs one look-up.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::client::{Client, ClientState, Refusal, Tombstone};
use crate::event::Revision;
use crate::id::{ClientId, SellerId};
use crate::validity::Timestamp;

/// Under which a store keeps a record: a client ID, or a reserved ID outside the grammar of client IDs.
///
/// Compared as bytes, never by a collation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId<'a>(&'a str);

impl<'a> RecordId<'a> {
    /// The ID as text: 8 to 64 characters of `[A-Za-z0-9._-]` for a client.
    #[must_use]
    pub fn as_str(&self) -> &'a str {
        self.0
    }

    /// The ID of a client whose ID has this text, if it is well formed.
    pub(crate) fn of_presented(client_id: &'a str) -> Option<Self> {
        ClientId::is_valid(client_id).then_some(Self(client_id))
    }
}

impl<'a> From<&'a ClientId> for RecordId<'a> {
    fn from(client_id: &'a ClientId) -> Self {
        Self(client_id.as_str())
    }
}

impl fmt::Display for RecordId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

/// A client, or what is left of one, as of one revision. Cheap to clone.
#[derive(Clone)]
pub struct Record(Form);

#[derive(Clone)]
pub(crate) enum Form {
    Active(Arc<LiveClient>),
    Deleted(Arc<Tombstone>),
}

impl Record {
    pub(crate) fn new(state: ClientState) -> Self {
        Self(match state {
            ClientState::Active(client) => Form::Active(Arc::new(LiveClient::new(client))),
            ClientState::Deleted(tombstone) => Form::Deleted(Arc::new(tombstone)),
        })
    }

    /// Under which it is kept.
    #[must_use]
    pub fn id(&self) -> RecordId<'_> {
        RecordId::from(self.client_id())
    }

    /// Counts the client's commits.
    #[must_use]
    pub fn revision(&self) -> Revision {
        match &self.0 {
            Form::Active(live) => live.client().revision(),
            Form::Deleted(tombstone) => tombstone.revision(),
        }
    }

    pub(crate) fn form(&self) -> &Form {
        &self.0
    }

    pub(crate) fn into_form(self) -> Form {
        self.0
    }

    /// The client, unless it was deleted.
    pub(crate) fn client(&self) -> Result<&Client, Refusal> {
        match &self.0 {
            Form::Active(live) => Ok(live.client()),
            Form::Deleted(_) => Err(Refusal::ClientDeleted),
        }
    }

    pub(crate) fn client_id(&self) -> &ClientId {
        match &self.0 {
            Form::Active(live) => live.client().id(),
            Form::Deleted(tombstone) => tombstone.id(),
        }
    }

    pub(crate) fn owner(&self) -> &SellerId {
        match &self.0 {
            Form::Active(live) => live.client().owner(),
            Form::Deleted(tombstone) => tombstone.owner(),
        }
    }

    pub(crate) fn changed_at(&self) -> Timestamp {
        match &self.0 {
            Form::Active(live) => live.client().changed_at(),
            Form::Deleted(tombstone) => tombstone.changed_at(),
        }
    }
}

impl From<Form> for Record {
    fn from(form: Form) -> Self {
        Self(form)
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("id", &self.id().as_str())
            .field("revision", &self.revision())
            .finish_non_exhaustive()
    }
}

/// A client in memory, with a note beside each secret of the use that was last reported.
///
/// The notes only save work: they keep a secret that is used all the time from being reported all the time. Losing one
/// costs one more report.
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

    /// Whether a use at `at` of the secret at a position should be reported, since none was within `interval` before. Says
    /// so once.
    #[inline]
    pub(crate) fn should_report(&self, position: usize, at: Timestamp, interval: i64) -> bool {
        let Some(reported) = self.reported.get(position) else {
            return true;
        };
        let mut last = reported.load(Ordering::Relaxed);
        while at.as_millis() >= last.saturating_add(interval) {
            match reported.compare_exchange(last, at.as_millis(), Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(found) => last = found,
            }
        }
        false
    }
}
