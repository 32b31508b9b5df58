//! `CheckReport`: what a check found to be wrong, and where.

use std::fmt;

use crate::store_error::StoreError;
use crate::value::{ClientId, Revision, SecretId, Timestamp};

/// The result of [`Registry::check`](crate::Registry::check).
#[derive(Debug)]
#[non_exhaustive]
pub struct CheckReport {
    /// The number of clients that were read, deleted ones included.
    pub clients: u64,
    /// The number of events that were read in their trails.
    pub events: u64,
    /// The discrepancies: what is wrong, and where.
    pub discrepancies: Vec<Discrepancy>,
}

/// A fault in what a store holds.
#[derive(Debug)]
pub struct Discrepancy {
    pub(super) client_id: Option<ClientId>,
    pub(super) what: DiscrepancyKind,
}

/// The kind of a [`Discrepancy`].
#[derive(Debug)]
#[non_exhaustive]
pub enum DiscrepancyKind {
    /// The record cannot be opened, or is older than one seen before.
    Record(StoreError),
    /// The trail cannot be read.
    Trail(StoreError),
    /// The last uses of its secrets cannot be read.
    LastUses(StoreError),
    /// The last use of a secret is impossible: it is more than a minute ahead of the clock of the node that checks and of every
    /// change in the store, or before the secret was added, or the client does not have the secret. Either a clock was wrong, or
    /// the store was edited: last uses are no part of the record, and nothing vouches for them. The next use replaces one that
    /// is ahead.
    LastUse {
        /// The secret.
        secret: SecretId,
        /// The time that the store gives.
        at: Timestamp,
    },
    /// A list, an index or the change feed cannot be read.
    Unreadable(StoreError),
    /// An event of the trail does not follow the one before: events were edited, reordered or deleted.
    BrokenTrail {
        /// The revision at which it breaks.
        at: Revision,
    },
    /// The trail ends before the record does: events are missing.
    TrailCutShort,
    /// The trail goes on after the record: an older record was put back.
    OlderThanTrail,
    /// A list or the feed names a client that has no record.
    NoRecord,
    /// The change feed differs from the trail.
    Feed,
    /// A look-up that should lead to the client does not.
    NotFoundBy(Lookup),
    /// A look-up that should not lead to the client does.
    FoundBy(Lookup),
}

/// A look-up that leads to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Lookup {
    /// One of its add-ins.
    AddIn,
    /// Its friendly name.
    Name,
    /// Its seller.
    Seller,
    /// The end of one of its secrets.
    Ending,
    /// The key that its record is sealed under.
    Key,
}

impl CheckReport {
    /// Returns `true` if nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.discrepancies.is_empty()
    }
}

impl Discrepancy {
    /// Returns the client in question; `None` for the registry's own record, and for a fault of no particular client.
    #[must_use]
    pub fn client_id(&self) -> Option<&ClientId> {
        self.client_id.as_ref()
    }

    /// Returns what is wrong.
    #[must_use]
    pub fn what(&self) -> &DiscrepancyKind {
        &self.what
    }
}

impl fmt::Display for Discrepancy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.client_id {
            Some(client_id) => write!(f, "client {client_id}: {}", self.what),
            None => write!(f, "the registry: {}", self.what),
        }
    }
}

impl fmt::Display for DiscrepancyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(error) => write!(f, "the record: {error}"),
            Self::Trail(error) => write!(f, "the trail: {error}"),
            Self::LastUses(error) => write!(f, "the last uses of its secrets: {error}"),
            Self::LastUse { secret, at } => write!(
                f,
                "the last use of secret {secret} cannot be at {at}: a clock was wrong, or the store was edited"
            ),
            Self::Unreadable(error) => write!(f, "a list or the feed: {error}"),
            Self::BrokenTrail { at } => {
                write!(f, "the trail breaks at revision {at}: events were edited, reordered or deleted")
            }
            Self::TrailCutShort => f.write_str("the trail ends before the record does: events are missing"),
            Self::OlderThanTrail => {
                f.write_str("the record is older than its trail: an old record was put back")
            }
            Self::NoRecord => f.write_str("a list or the change feed names it, and there is no record of it"),
            Self::Feed => f.write_str("the change feed differs from the trail"),
            Self::NotFoundBy(lookup) => write!(f, "it is not found by its {lookup}"),
            Self::FoundBy(lookup) => write!(f, "it is found by another {lookup} than its own"),
        }
    }
}

impl fmt::Display for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AddIn => "add-in",
            Self::Name => "friendly name",
            Self::Seller => "seller",
            Self::Ending => "secret's end",
            Self::Key => "key",
        })
    }
}
