//! Comparing the change feed with the records: each client's events follow one another and pass through the head of its
//! record (rule 16).

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::event::{Event, EventHash};
use crate::registry::Registry;
use crate::registry::upkeep::check::discrepancy::{Discrepancy, DiscrepancyKind};
use crate::registry::walk::PAGE;
use crate::store::{Cursor, Store};
use crate::store_error::StoreError;
use crate::value::ClientId;

impl<S: Store> Registry<S> {
    /// Reads the whole feed.
    pub(super) async fn check_feed(
        &self,
        heads: &HashMap<ClientId, EventHash>,
        discrepancies: &mut Vec<Discrepancy>,
    ) -> Result<(), StoreError> {
        let mut last: HashMap<ClientId, EventHash> = HashMap::new();
        let mut passed: HashSet<ClientId> = HashSet::new();
        let mut broken: BTreeSet<ClientId> = BTreeSet::new();
        let mut nobodys = None;
        let mut cursor: Option<Cursor> = None;
        loop {
            let page = self.inner.store.changes(cursor.as_ref(), PAGE).await?;
            for text in &page.events {
                let (client_id, previous) = match (Event::parse(text), text.client_id()) {
                    (Ok(event), _) => (event.client_id().clone(), Some(event.previous())),
                    (Err(_), Some(client_id)) => (client_id, None),
                    (Err(error), None) => {
                        nobodys.get_or_insert(error);
                        continue;
                    }
                };
                let before = last.insert(client_id.clone(), text.hash()).unwrap_or(EventHash::START);
                if previous != Some(before) {
                    broken.insert(client_id.clone());
                }
                if heads.get(&client_id) == Some(&text.hash()) {
                    passed.insert(client_id);
                }
            }
            if page.events.len() < PAGE {
                break;
            }
            cursor = Some(page.cursor);
        }
        broken.extend(heads.keys().filter(|client_id| !passed.contains(*client_id)).cloned());
        for client_id in last.keys().filter(|client_id| !heads.contains_key(*client_id)) {
            // The client may have been made a moment ago. One that cannot be opened has been reported already.
            if let Ok(None) = self.load(client_id).await {
                discrepancies.push(Discrepancy {
                    client_id: Some(client_id.clone()),
                    what: DiscrepancyKind::NoRecord,
                });
            }
        }
        discrepancies.extend(
            broken.into_iter().map(|id| Discrepancy { client_id: Some(id), what: DiscrepancyKind::Feed }),
        );
        discrepancies.extend(
            nobodys.map(|error| Discrepancy { client_id: None, what: DiscrepancyKind::Unreadable(error) }),
        );
        Ok(())
    }
}
