//! `load`, and the faults that it can have.

use client_registry::store::{Record, RecordId, StoreError};

use super::{Plain, lock};
use crate::conformance::faults::Fault;

impl Plain {
    pub(super) async fn look_up(&self, id: RecordId<'_>) -> Result<Option<Record>, StoreError> {
        let _turn = self.begin(Fault::DroppedLoadHolds).await?;
        self.pause(1).await;
        let books = self.own_view();
        if self.fault == Fault::LoadingBringsUpToDate {
            self.see(&books);
        }
        let found = match self.fault {
            Fault::IdsIgnoreCase => books
                .records
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(id.as_str()))
                .map(|(_, bytes)| bytes),
            _ => books.records.get(id.as_str()),
        };
        let record = found.map(|bytes| Record::from_bytes(bytes)).transpose();
        match self.fault {
            Fault::CorruptIsAbsent => Ok(record.unwrap_or(None)),
            Fault::CorruptPanics => Ok(record.unwrap()),
            Fault::CachesOnce | Fault::CachesForEver => {
                let mut cache = lock(&self.cache);
                let cached = match self.fault {
                    Fault::CachesOnce => cache.remove(id.as_str()),
                    _ => cache.get(id.as_str()).cloned(),
                };
                if let Some(record) = record? {
                    cache.entry(id.as_str().to_owned()).or_insert(record.clone());
                    return Ok(cached.or(Some(record)));
                }
                Ok(None)
            }
            _ => record,
        }
    }
}
