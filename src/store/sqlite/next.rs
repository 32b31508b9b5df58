//! A record before and after a commit, with the entries by which its client is found.
//!
//! The entries of before and after stand side by side, so that the commit touches only rows that are different. A record under a
//! reserved ID has no entries.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use super::cells::Cells;
use super::fault::Fault;
use crate::record::{RecordId, RecordParts};
use crate::store::{CommitError, Index, IndexEntry};
use crate::store_error::{StoreError, StoreErrorKind};
use crate::value::{AddInId, ClientId, KeyId, Revision, SecretId, Timestamp};

/// The row of a record before a commit.
pub(super) struct Found {
    pub(super) number: i64,
    pub(super) revision: Revision,
    pub(super) key_id: KeyId,
    pub(super) name: Option<(String, String)>,
}

impl Found {
    pub(super) fn read(connection: &Connection, id: RecordId<'_>) -> Result<Option<Self>, Fault> {
        let mut statement = connection
            .prepare_cached("SELECT number, revision, key_id, seller, name_key FROM record WHERE id = ?1")?;
        let mut rows = statement.query([id.as_str()])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let cells = Cells { row, table: "record", key: &id };
        let key_id = KeyId::parse(cells.text(2, "key_id")?);
        let name: (Option<String>, Option<String>) = (row.get(3)?, row.get(4)?);
        Ok(Some(Self {
            number: cells.number(0, "number")?,
            revision: Revision::new(cells.number(1, "revision")?),
            key_id: key_id.map_err(|error| cells.unreadable("key_id", error))?,
            name: name.0.zip(name.1),
        }))
    }
}

/// A record that is to be put in place, with the entries by which its client was found until now.
pub(super) struct Next<'a> {
    pub(super) parts: RecordParts<'a>,
    pub(super) found: Option<Found>,
    /// The client that it is of. `None` under a reserved ID.
    pub(super) client_id: Option<ClientId>,
    pub(super) index: &'a Index,
    pub(super) ends: BTreeMap<SecretId, Option<Timestamp>>,
    pub(super) add_ins_before: BTreeSet<String>,
    pub(super) ends_before: BTreeMap<i64, Option<i64>>,
}

impl<'a> Next<'a> {
    pub(super) fn new(
        connection: &Connection,
        parts: RecordParts<'a>,
        index: &'a Index,
        found: Option<Found>,
    ) -> Result<Self, Fault> {
        let client_id = parts.id.client_id();
        let mut next = Self {
            parts,
            client_id,
            index,
            ends: index.ends.iter().copied().collect(),
            add_ins_before: BTreeSet::new(),
            ends_before: BTreeMap::new(),
            found,
        };
        if next.found.is_some() && next.client_id.is_some() {
            let id = next.parts.id.as_str();
            let mut add_ins = connection.prepare_cached("SELECT add_in FROM add_in WHERE client_id = ?1")?;
            let add_ins = add_ins.query_map([id], |row| row.get(0))?;
            next.add_ins_before = add_ins.collect::<Result<_, _>>()?;
            let mut ends =
                connection.prepare_cached("SELECT secret, until FROM secret WHERE client_id = ?1")?;
            let ends = ends.query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?;
            next.ends_before = ends.collect::<Result<_, _>>()?;
        }
        Ok(next)
    }

    /// Returns its seller and the key of its name.
    pub(super) fn name(&self) -> Option<(&str, &str)> {
        let name = self.index.name.as_ref().filter(|_| self.client_id.is_some());
        name.map(|(seller, key)| (seller.as_str(), key.as_str()))
    }

    pub(super) fn name_before(&self) -> Option<(&str, &str)> {
        let name = self.found.as_ref().and_then(|found| found.name.as_ref());
        name.map(|(seller, key)| (seller.as_str(), key.as_str()))
    }

    pub(super) fn has_before(&self, entry: &IndexEntry) -> bool {
        match entry {
            IndexEntry::AddIn(add_in) => self.add_ins_before.contains(add_in.as_str()),
            IndexEntry::Name(seller, key) => self.name_before() == Some((seller.as_str(), key.as_str())),
        }
    }

    pub(super) fn add_ins(&self) -> &'a [AddInId] {
        if self.client_id.is_some() { &self.index.add_ins } else { &[] }
    }
}

/// Returns a revision as the file keeps it.
pub(super) fn number_of(revision: Revision) -> Result<i64, CommitError> {
    i64::try_from(revision.number())
        .map_err(|error| CommitError::NotWritten(StoreError::with_source(StoreErrorKind::Corrupt, error)))
}
