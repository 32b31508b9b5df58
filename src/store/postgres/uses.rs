//! Last uses of secrets: noted and read.
//!
//! The later use wins, however often it is sent. Until the last attempt noting waits for no row that another transaction holds: the
//! rows that it has locked already would wait as well.

use std::time::Duration;

use tokio::time::sleep;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

use super::rows::{passed_over, secret_id, unreadable};
use super::session::Parameter;
use super::store::PostgresStore;
use crate::client::LastUses;
use crate::store::Use;
use crate::store_error::StoreError;
use crate::value::{ClientId, Timestamp};

impl PostgresStore {
    /// Notes uses, of those secrets that exist.
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
            // The later use wins however often it is sent, so this may be sent twice.
            let held = self.read(sql, &parameters).await?;
            if held.is_empty() || attempts == PASSES {
                return Ok(());
            }
            ids = column_of(&held, 0)?;
            (secrets, times) = (column_of(&held, 1)?, column_of(&held, 2)?);
            sleep(HELD_PAUSE).await;
        }
    }

    /// Returns the last uses of the secrets of a client. A row that no node wrote is passed over.
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
            // A time beyond the calendar cannot be believed, like one that is only far ahead.
            let millis = row.try_get(1).map_err(|source| unreadable("secrets.last_used", source))?;
            let beyond = if millis > 0 { Timestamp::MAX } else { Timestamp::MIN };
            uses.note(secret, Timestamp::from_millis(millis).unwrap_or(beyond));
        }
        Ok(uses)
    }
}

fn column_of<T: for<'a> FromSql<'a>>(rows: &[Row], position: usize) -> Result<Vec<T>, StoreError> {
    let value = |row: &Row| row.try_get(position).map_err(|source| unreadable("secrets", source));
    rows.iter().map(value).collect()
}

/// The number of attempts. The last one waits for rows that another transaction holds; there is a pause after each of the others.
const PASSES: usize = 4;
const HELD_PAUSE: Duration = Duration::from_millis(50);
