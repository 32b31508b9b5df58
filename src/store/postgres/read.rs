//! The statements that only read. Each is one round trip, and an error on a replica.

use std::time::Duration;

use tokio::time::sleep;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

use super::events::split;
use super::failure::{Failure, store_error};
use super::session::Parameter;
use super::store::PostgresStore;
use crate::client::LastUses;
use crate::record::{Record, RecordId, RecordParts};
use crate::store::{ClientsBy, CommitId, Committed, Ending, Use};
use crate::store_error::{StoreError, with_sources};
use crate::value::{AddInId, ClientId, KeyId, Revision, SecretId, Timestamp};

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

    pub(super) async fn write_uses(
        &self,
        uses: &[Use],
        believable_until: Timestamp,
    ) -> Result<(), StoreError> {
        if uses.is_empty() {
            return Ok(());
        }
        let mut ids: Vec<_> = uses.iter().map(|used| used.client_id.as_str().to_owned()).collect();
        let mut secrets: Vec<_> = uses.iter().map(|used| i64::from(used.secret.number())).collect();
        let mut times: Vec<_> = uses.iter().map(|used| used.at.as_millis()).collect();
        let believable_until = believable_until.as_millis();
        let mut attempts = 0;
        loop {
            attempts += 1;
            let parameters: [Parameter<'_>; 4] = [
                (&ids, Type::TEXT_ARRAY),
                (&secrets, Type::INT8_ARRAY),
                (&times, Type::INT8_ARRAY),
                (&believable_until, Type::INT8),
            ];
            let reads = &self.inner.reads;
            let sql = if attempts < PASSES { &reads.note_uses } else { &reads.note_held_uses };
            // The later use wins however often it is told, so this may be sent again as a question may.
            let held = self.read(sql, &parameters).await?;
            if held.is_empty() || attempts == PASSES {
                return Ok(());
            }
            ids = column_of(&held, 0)?;
            (secrets, times) = (column_of(&held, 1)?, column_of(&held, 2)?);
            sleep(HELD_PAUSE).await;
        }
    }

    pub(super) async fn read_last_uses(&self, client_id: &ClientId) -> Result<LastUses, StoreError> {
        let id = client_id.as_str();
        let rows = self.read(&self.inner.reads.last_uses, &[(&id, Type::TEXT)]).await?;
        let mut uses = LastUses::default();
        for row in &rows {
            let secret = match secret_id(row, 0) {
                Ok(secret) => secret,
                Err(failure) => {
                    passed_over(&failure);
                    continue;
                }
            };
            // A time beyond the calendar is as little to be believed as one that is merely far ahead.
            let millis = row.try_get(1).map_err(|source| unreadable("secrets.last_used", source))?;
            let beyond = if millis > 0 { Timestamp::MAX } else { Timestamp::MIN };
            uses.note(secret, Timestamp::from_millis(millis).unwrap_or(beyond));
        }
        Ok(uses)
    }

    /// Runs a statement that may be sent twice: once more where the connection was lost, or another statement won.
    async fn read(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, StoreError> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let mut session = self.session().await.map_err(store_error)?;
            match session.query(sql, parameters).await {
                Err(failure)
                    if (failure.is_of_the_connection() && attempts == 1)
                        || (failure.lost_a_race() && attempts < RACES) => {}
                answer => return answer.map_err(store_error),
            }
        }
    }
}

fn column_of<T: for<'a> FromSql<'a>>(rows: &[Row], position: usize) -> Result<Vec<T>, StoreError> {
    let value = |row: &Row| row.try_get(position).map_err(|source| unreadable("secrets", source));
    rows.iter().map(value).collect()
}

/// One page of a list. Its entries lead to clients and prove nothing; a row that no node can have written leads nowhere. It is
/// passed over, and does not hide the rows behind it.
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

fn passed_over(failure: &Failure) {
    tracing::error!(why = with_sources(failure), "a row that no node wrote is passed over");
}

/// The record in a row. Whether it is the one that was written, the registry finds out.
fn record(id: RecordId<'_>, row: &Row) -> Result<Record, StoreError> {
    fn column<'a, T: FromSql<'a>>(row: &'a Row, position: usize) -> Result<T, StoreError> {
        row.try_get(position).map_err(|source| store_error(Failure::unreadable("records", source)))
    }
    let key_id = KeyId::parse(column(row, 1)?).map_err(|source| unreadable("records.key_id", source))?;
    let format: i32 = column(row, 2)?;
    let registry_id: &[u8] = column(row, 3)?;
    let too_long = |place| unreadable(place, "longer than a record may be");
    let (body, sealed): (Option<&[u8]>, Option<&[u8]>) = (column(row, 4)?, column(row, 5)?);
    let body = body.ok_or_else(|| too_long("records.body"))?;
    let body = str::from_utf8(body).map_err(|source| unreadable("records.body", source))?;
    Record::from_parts(RecordParts {
        format: u16::try_from(format).map_err(|source| unreadable("records.format", source))?,
        registry_id: registry_id.try_into().map_err(|source| unreadable("records.registry_id", source))?,
        id,
        revision: revision(row, 0).map_err(store_error)?,
        key_id: &key_id,
        body,
        sealed: sealed.ok_or_else(|| too_long("records.sealed"))?,
    })
}

fn unreadable(
    place: &'static str,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StoreError {
    store_error(Failure::unreadable(place, source))
}

fn committed(row: &Row) -> Result<Committed, Failure> {
    let commit_id: &[u8] =
        row.try_get(0).map_err(|source| Failure::unreadable("history.commit_id", source))?;
    let commit_id =
        commit_id.try_into().map_err(|source| Failure::unreadable("history.commit_id", source))?;
    let bytes: Option<&[u8]> =
        row.try_get(2).map_err(|source| Failure::unreadable("history.events", source))?;
    let bytes = bytes
        .ok_or_else(|| Failure::unreadable("history.events", "longer than the events of a commit can be"))?;
    Ok(Committed {
        commit_id: CommitId::from_bytes(commit_id),
        revision: revision(row, 1)?,
        events: split(bytes),
    })
}

fn ending(row: &Row) -> Result<Ending, Failure> {
    Ok(Ending { at: instant(row, 0)?, client_id: client_id(row, 1)?, secret: secret_id(row, 2)? })
}

pub(super) fn client_id(row: &Row, column: usize) -> Result<ClientId, Failure> {
    let text = row.try_get(column).map_err(|source| Failure::unreadable("client_id", source))?;
    ClientId::stored(text).map_err(|source| Failure::unreadable("client_id", source))
}

fn revision(row: &Row, column: usize) -> Result<Revision, Failure> {
    let number: i64 = row.try_get(column).map_err(|source| Failure::unreadable("revision", source))?;
    let number = u64::try_from(number).map_err(|source| Failure::unreadable("revision", source))?;
    Ok(Revision::new(number))
}

fn secret_id(row: &Row, column: usize) -> Result<SecretId, Failure> {
    let number: i64 = row.try_get(column).map_err(|source| Failure::unreadable("secrets.secret", source))?;
    let number = u32::try_from(number).ok().and_then(SecretId::new);
    number.ok_or_else(|| Failure::unreadable("secrets.secret", "not the number of a secret"))
}

fn instant(row: &Row, column: usize) -> Result<Timestamp, Failure> {
    let millis = row.try_get(column).map_err(|source| Failure::unreadable("secrets", source))?;
    let instant = Timestamp::from_millis(millis);
    instant.ok_or_else(|| Failure::unreadable("secrets", "an instant beyond the calendar"))
}

pub(super) fn up_to(limit: usize) -> i64 {
    i64::try_from(limit.max(1)).unwrap_or(i64::MAX)
}

/// How often a statement is sent when others win over it.
const RACES: usize = 10;
/// How often last uses are sent: the last time they wait for rows that another transaction holds, before that there is a pause.
const PASSES: usize = 4;
const HELD_PAUSE: Duration = Duration::from_millis(50);
