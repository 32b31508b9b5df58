//! Notes last uses of secrets.
//!
//! The later use wins, whichever comes first. A use that is kept and later than can be believed gives way to any other.

use rusqlite::{Connection, params};

use super::fault::Fault;
use super::lineage;
use crate::store::{CommitError, Use};
use crate::value::Timestamp;

/// Notes uses, of those secrets that exist.
pub(super) fn note(
    connection: &Connection,
    uses: &[Use],
    believable_until: Timestamp,
) -> Result<(), CommitError> {
    let mut statement = connection.prepare_cached(
        "UPDATE secret SET last_used = ?3
         WHERE client_id = ?1 AND secret = ?2 AND (last_used IS NULL OR last_used < ?3 OR last_used > ?4)",
    )?;
    // No row is changed where the secret is not there, or has a later use already.
    let mut left = connection.prepare_cached(
        "SELECT 1 FROM secret
         WHERE client_id = ?1 AND secret = ?2 AND (last_used IS NULL OR last_used < ?3 OR last_used > ?4)",
    )?;
    let believable_until = believable_until.as_millis();
    let mut noted = 0;
    for Use { client_id, secret, at } in uses {
        let parameters = params![client_id.as_str(), secret.number(), at.as_millis(), believable_until];
        match statement.execute(parameters)? {
            0 if left.exists(parameters)? => return Err(Fault::Swallowed { table: "secret" }.into()),
            changed => noted += changed,
        }
    }
    if noted > 0 {
        lineage::step(connection)?;
    }
    Ok(())
}
