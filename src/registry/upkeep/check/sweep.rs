//! `Sweep`: what one reading of all records came to, and which errors are a report's and which the caller's.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::event::EventHash;
use crate::registry::upkeep::check::discrepancy::{Discrepancy, DiscrepancyKind, Lookup};
use crate::store::{Ending, Use};
use crate::store_error::{StoreError, StoreErrorKind};
use crate::value::{ClientId, KeyId, SellerId, Timestamp};

/// The result of one reading of all records.
#[derive(Default)]
pub(super) struct Sweep {
    pub(super) clients: u64,
    pub(super) events: u64,
    pub(super) discrepancies: Vec<Discrepancy>,
    pub(super) strays: BTreeSet<Stray>,
    pub(super) heads: HashMap<ClientId, EventHash>,
    pub(super) by_seller: BTreeMap<SellerId, BTreeSet<ClientId>>,
    pub(super) by_key: BTreeMap<KeyId, BTreeSet<ClientId>>,
    pub(super) endings: BTreeSet<Ending>,
    /// The latest change of any client. Whatever the clock says, it is no earlier now.
    pub(super) latest: Option<Timestamp>,
    pub(super) uses: Vec<Use>,
}

/// A client, the kind of a look-up, whether that look-up finds the client, and the entry in question.
pub(super) type Stray = (ClientId, Lookup, bool, String);

impl Sweep {
    pub(super) fn fault(&mut self, client_id: &ClientId, what: DiscrepancyKind) {
        self.discrepancies.push(Discrepancy { client_id: Some(client_id.clone()), what });
    }
}

/// Returns the answer; `None`, with a discrepancy, if it cannot be read.
pub(super) fn unless_unreadable<T>(
    answer: Result<T, StoreError>,
    discrepancies: &mut Vec<Discrepancy>,
) -> Result<Option<T>, StoreError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) => {
            discrepancies
                .push(Discrepancy { client_id: None, what: DiscrepancyKind::Unreadable(readable(error)?) });
            Ok(None)
        }
    }
}

/// Returns an error that is about what was read as `Ok`, to be reported. An error that kept everything from being read is the
/// caller's.
pub(super) fn readable(error: StoreError) -> Result<StoreError, StoreError> {
    match error.kind() {
        StoreErrorKind::Unavailable | StoreErrorKind::InDoubt | StoreErrorKind::Misconfigured => Err(error),
        _ => Ok(error),
    }
}
