//! Trails, lists of clients, holders of add-ins and what ends: the faults of pages.

use std::collections::BTreeMap;

use client_registry::store::{ClientsBy, Committed, Ending, Index, RecordId, StoreError, StoreErrorKind};
use client_registry::value::Revision;
use client_registry::{AddInId, ClientId, Timestamp};

use super::{Plain, Stretch, cut, decode, start};
use crate::conformance::faults::Fault;

impl Plain {
    fn committed(&self, stretch: &Stretch) -> Result<Committed, StoreError> {
        let Stretch { commit_id, revision, events } = stretch;
        Ok(Committed { commit_id: *commit_id, revision: *revision, events: decode(events)? })
    }

    pub(super) async fn trail_of(
        &self,
        client_id: &ClientId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<Committed>, StoreError> {
        let _turn = self.begin(Fault::DroppedHistoryHolds).await?;
        self.pause(1).await;
        if self.fault == Fault::RevisionsAreSigned && i64::try_from(after.number()).is_err() {
            return Err(StoreError::new(StoreErrorKind::Corrupt));
        }
        let after = match self.fault {
            Fault::RevisionsAreCut => Revision::new(after.number() & u64::from(u32::MAX)),
            _ => after,
        };
        let books = self.page_of(Fault::HistoryFromMemory, after > Revision::ZERO);
        let is_wanted = |id: &ClientId| match self.fault {
            Fault::HistoryIsByPrefix => id.as_str().starts_with(client_id.as_str()),
            Fault::HistoryIdsAreCut => *id == cut(client_id, 63),
            _ => id == client_id,
        };
        let trails = books.trails.iter().filter(|(id, _)| is_wanted(id));
        let trail: Vec<_> = trails.flat_map(|(_, trail)| trail).collect();
        let limit = self.page(limit);
        let is_later = |stretch: &&&Stretch| self.fault == Fault::AfterIgnored || stretch.revision > after;
        let later = trail.iter().filter(is_later).map(|stretch| self.committed(stretch));
        match self.fault {
            Fault::CorruptIsAbsent => Ok(later.filter_map(Result::ok).take(limit).collect()),
            Fault::LimitIgnored => later.collect(),
            Fault::LimitCountsEvents => {
                let mut left = limit;
                later
                    .take_while(|committed| {
                        let len = committed.as_ref().map_or(1, |committed| committed.events.len());
                        let fits = left > 0;
                        left = left.saturating_sub(len);
                        fits
                    })
                    .collect()
            }
            _ => later.take(limit).collect(),
        }
    }

    pub(super) async fn listed(
        &self,
        by: ClientsBy<'_>,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<Vec<ClientId>, StoreError> {
        let _turn = self.begin(Fault::DroppedClientsHolds).await?;
        self.pause(1).await;
        let books = self.page_of(Fault::ListsFromMemory, after.is_some());
        if self.fault == Fault::ReservedIsListed && books.records.contains_key(RecordId::REGISTRY.as_str()) {
            // There is no client ID that it could be listed under.
            return Err(StoreError::new(StoreErrorKind::Corrupt));
        }
        let alike = |one: &str, other: &str| match self.fault {
            Fault::SellersIgnoreCase => one.eq_ignore_ascii_case(other),
            _ => one == other,
        };
        let is_wanted = |index: &Index| match (by, &index.name) {
            (ClientsBy::All, name) => self.fault != Fault::DeletedIsNotListed || name.is_some(),
            (ClientsBy::Key(key_id), _) if self.fault == Fault::KeyIdsAreCut => index
                .key_id
                .as_ref()
                .is_some_and(|found| start(found.as_str(), 31) == start(key_id.as_str(), 31)),
            (ClientsBy::Key(key_id), _) => index.key_id.as_ref() == Some(key_id),
            (ClientsBy::Seller(seller), Some((owner, _))) => alike(seller.as_str(), owner.as_str()),
            (ClientsBy::Name(seller, key), Some((owner, name))) => seller == owner && key == name,
            _ => false,
        };
        let by_name = matches!(by, ClientsBy::Name(..)) && self.fault == Fault::NamesAreNotPaged;
        let is_later = |id: &ClientId| {
            by_name || self.fault == Fault::AfterIgnored || after.is_none_or(|after| id > after)
        };
        let limit = self.page(limit);
        let wanted = books.indexes.iter().filter(|(id, index)| is_wanted(index) && is_later(id));
        let mut ids: Vec<_> = wanted.map(|(id, _)| id.clone()).collect();
        match self.fault {
            Fault::SortsByCollation => ids.sort_by_key(|id| id.as_str().to_ascii_lowercase()),
            Fault::LimitIsRoom => ids.reserve_exact(limit),
            _ => {}
        }
        if self.fault != Fault::LimitIgnored {
            ids.truncate(limit);
        }
        Ok(ids)
    }

    pub(super) async fn holder(&self, add_in: &AddInId) -> Result<Option<ClientId>, StoreError> {
        let _turn = self.begin(Fault::DroppedClientOfHolds).await?;
        self.pause(1).await;
        let books = self.view(Fault::AddInsFromMemory);
        let seen = if self.fault == Fault::FindsFirstAddInOnly { 1 } else { usize::MAX };
        let mut holders =
            books.indexes.iter().filter(|(_, index)| index.add_ins.iter().take(seen).any(|a| a == add_in));
        Ok(holders
            .next()
            .map(|(id, _)| if self.fault == Fault::HolderIsCut { cut(id, 63) } else { id.clone() }))
    }

    pub(super) async fn ended(
        &self,
        before: Timestamp,
        after: Option<&Ending>,
        limit: usize,
    ) -> Result<Vec<Ending>, StoreError> {
        let _turn = self.begin(Fault::DroppedEndingHolds).await?;
        self.pause(1).await;
        let books = self.page_of(Fault::EndsFromMemory, after.is_some());
        let all = books.indexes.iter().flat_map(|(id, index)| {
            index.ends.iter().filter_map(|(secret, at)| {
                Some(Ending { at: (*at)?, client_id: id.clone(), secret: *secret })
            })
        });
        let is_before = |at: Timestamp| match self.fault {
            Fault::EndIsIncluded => at <= before,
            _ => at < before,
        };
        let mut endings: Vec<_> = all
            .filter(|ending| {
                let is_after = self.fault == Fault::AfterIgnored || after.is_none_or(|after| ending > after);
                is_before(ending.at) && is_after
            })
            .collect();
        if self.fault == Fault::EndsIgnoreCase {
            let key = |ending: &Ending| (ending.client_id.as_str().to_lowercase(), ending.secret);
            endings =
                endings.into_iter().map(|e| (key(&e), e)).collect::<BTreeMap<_, _>>().into_values().collect();
        }
        let limit = self.page(limit);
        match self.fault {
            Fault::SortsNumbersAsText => {
                endings
                    .sort_by_key(|ending| (ending.at, ending.client_id.clone(), ending.secret.to_string()));
            }
            _ => endings.sort(),
        }
        if self.fault != Fault::LimitIgnored {
            endings.truncate(limit);
        }
        Ok(endings)
    }
}
