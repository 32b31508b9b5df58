//! Loads, histories and lists: each is one round trip, and an error on a replica.
//!
//! The registry opens and checks the records that it gets. A list leads to clients and proves nothing: a row that no node can
//! have written is passed over, and hides no row behind it.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::failure::{Failure, store_error};
use super::rows::{client_id, committed, ending, passed_over, record, unreadable, up_to};
use super::session::Parameter;
use super::store::PostgresStore;
use crate::record::{Record, RecordId};
use crate::store::{ClientsBy, Committed, Ending};
use crate::store_error::StoreError;
use crate::value::{AddInId, ClientId, Revision, Timestamp};

impl PostgresStore {
    pub(super) async fn load_record(&self, id: RecordId<'_>) -> Result<Option<Record>, StoreError> {
        let text = id.as_str();
        let rows = self.read(&self.inner.reads.record, &[(&text, Type::TEXT)]).await?;
        rows.first().map(|row| record(id, row)).transpose()
    }

    pub(super) async fn read_history(
        &self,
        client_id: &ClientId,
        after: Revision,
        limit: usize,
    ) -> Result<Vec<Committed>, StoreError> {
        let (id, limit) = (client_id.as_str(), up_to(limit));
        let after = i64::try_from(after.number()).unwrap_or(i64::MAX);
        let parameters: [Parameter<'_>; 3] = [(&id, Type::TEXT), (&after, Type::INT8), (&limit, Type::INT8)];
        let rows = self.read(&self.inner.reads.history, &parameters).await?;
        rows.iter().map(|row| committed(row).map_err(store_error)).collect()
    }

    pub(super) async fn list_clients(
        &self,
        by: ClientsBy<'_>,
        after: Option<&ClientId>,
        limit: usize,
    ) -> Result<Vec<ClientId>, StoreError> {
        let mut after = after.map(ClientId::as_str).unwrap_or_default().to_owned();
        let mut page = Page::of(limit);
        loop {
            let rows = self.some_clients(by, &after, page.left()).await?;
            if page.is_filled_by(&rows, |row| client_id(row, 0)) {
                return Ok(page.entries);
            }
            if let Some(last) = rows.last() {
                after = last.try_get(0).map_err(|source| unreadable("client_id", source))?;
            }
        }
    }

    async fn some_clients(
        &self,
        by: ClientsBy<'_>,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let limit = up_to(limit);
        let reads = &self.inner.reads;
        let page: [Parameter<'_>; 2] = [(&after, Type::TEXT), (&limit, Type::INT8)];
        let [after, limit] = page;
        match by {
            ClientsBy::All => self.read(&reads.all, &[after, limit]).await,
            ClientsBy::Seller(seller) => {
                let seller = seller.as_str();
                self.read(&reads.by_seller, &[after, limit, (&seller, Type::TEXT)]).await
            }
            ClientsBy::Key(key_id) => {
                let key_id = key_id.as_str();
                self.read(&reads.by_key, &[after, limit, (&key_id, Type::TEXT)]).await
            }
            ClientsBy::Name(seller, key) => {
                let (seller, key) = (seller.as_str(), key.as_str().as_bytes());
                let name: [Parameter<'_>; 2] = [(&seller, Type::TEXT), (&key, Type::BYTEA)];
                let [seller, key] = name;
                self.read(&reads.by_name, &[after, limit, seller, key]).await
            }
        }
    }

    pub(super) async fn find_by_add_in(&self, add_in: &AddInId) -> Result<Option<ClientId>, StoreError> {
        let key = add_in.as_str().as_bytes();
        let rows = self.read(&self.inner.reads.by_add_in, &[(&key, Type::BYTEA)]).await?;
        rows.first().map(|row| client_id(row, 0).map_err(store_error)).transpose()
    }

    pub(super) async fn list_ending(
        &self,
        before: Timestamp,
        after: Option<&Ending>,
        limit: usize,
    ) -> Result<Vec<Ending>, StoreError> {
        let (mut at, mut id, mut secret) = match after {
            None => (i64::MIN, String::new(), 0),
            Some(after) => {
                let id = after.client_id.as_str().to_owned();
                (after.at.as_millis(), id, i64::from(after.secret.number()))
            }
        };
        let before = before.as_millis();
        let mut page = Page::of(limit);
        loop {
            let limit = up_to(page.left());
            let parameters: [Parameter<'_>; 5] = [
                (&before, Type::INT8),
                (&at, Type::INT8),
                (&id, Type::TEXT),
                (&secret, Type::INT8),
                (&limit, Type::INT8),
            ];
            let rows = self.read(&self.inner.reads.ending, &parameters).await?;
            if page.is_filled_by(&rows, ending) {
                return Ok(page.entries);
            }
            if let Some(last) = rows.last() {
                let raw = |source| unreadable("secrets", source);
                at = last.try_get(0).map_err(raw)?;
                id = last.try_get(1).map_err(raw)?;
                secret = last.try_get(2).map_err(raw)?;
            }
        }
    }
}

/// One page of a list, without the rows that no node can have written.
struct Page<T> {
    entries: Vec<T>,
    limit: usize,
}

impl<T> Page<T> {
    fn of(limit: usize) -> Self {
        Self { entries: Vec::new(), limit: limit.max(1) }
    }

    fn left(&self) -> usize {
        self.limit.saturating_sub(self.entries.len())
    }

    /// Takes up to as many rows as are left. Returns whether the page is full, or these rows were the last.
    fn is_filled_by(&mut self, rows: &[Row], entry: impl Fn(&Row) -> Result<T, Failure>) -> bool {
        let are_all = rows.len() < self.left();
        for row in rows {
            match entry(row) {
                Ok(entry) => self.entries.push(entry),
                Err(failure) => passed_over(&failure),
            }
        }
        are_all || self.left() == 0
    }
}
