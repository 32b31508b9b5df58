//! The floor of a change in SQLite: one transaction that writes the same rows into the same tables, by the engine alone,
//! with statements that are prepared once and values that are there already.
//!
//! What a store adds to it: looking at what is there, encoding, and handing over to the thread that writes and back.
//! What a registry adds: deciding, sealing, and loading the client before.

use std::path::Path;

use client_registry::Timestamp;
use client_registry::store::{Commit, RecordChange};
use rusqlite::{Connection, params};

/// The engine at a file that has the tables already.
pub struct Bare(Connection);

/// The rows of one commit, each value as the engine takes it.
pub struct Rows {
    id: String,
    revision: i64,
    seller: String,
    name_key: String,
    key_id: String,
    format: u16,
    registry_id: [u8; 16],
    body: String,
    sealed: Vec<u8>,
    ends: Vec<(u32, Option<i64>)>,
    commit_id: [u8; 16],
    events: Vec<String>,
}

impl Bare {
    pub fn open(path: &Path) -> Self {
        let connection = Connection::open(path).unwrap();
        connection.set_prepared_statement_cache_capacity(64);
        let pragmas = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
            PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA foreign_keys = OFF;";
        connection.execute_batch(pragmas).unwrap();
        Self(connection)
    }

    /// A client that is new.
    pub fn insert(&self, rows: &Rows) {
        self.transact(|| {
            self.run(
                "INSERT INTO record (id, revision, seller, name_key, key_id, format, registry_id, body, sealed)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                params![
                    rows.id,
                    rows.revision,
                    rows.seller,
                    rows.name_key,
                    rows.key_id,
                    rows.format,
                    rows.registry_id,
                    rows.body,
                    rows.sealed
                ],
            );
            for (secret, until) in &rows.ends {
                let sql = "INSERT INTO secret (client_id, secret, until) VALUES (?1, ?2, ?3)";
                self.run(sql, params![rows.id, secret, until]);
            }
            self.append(rows);
        });
    }

    /// A client that is there, where nothing changes by which it is found.
    pub fn update(&self, rows: &Rows) {
        self.transact(|| {
            self.run(
                "UPDATE record SET revision = ?2, format = ?3, registry_id = ?4, body = ?5, sealed = ?6 WHERE id = ?1",
                params![rows.id, rows.revision, rows.format, rows.registry_id, rows.body, rows.sealed],
            );
            self.append(rows);
        });
    }

    /// What loading a record reads.
    pub fn select(&self, id: &str) -> (String, Vec<u8>) {
        let sql = "SELECT format, registry_id, revision, key_id, body, sealed FROM record WHERE id = ?1";
        let mut statement = self.0.prepare_cached(sql).unwrap();
        statement.query_row([id], |row| Ok((row.get(4)?, row.get(5)?))).unwrap()
    }

    /// The first hundred ends of validities.
    pub fn page(&self, before: i64) -> Vec<(i64, String, u32)> {
        let sql = "SELECT until, client_id, secret FROM secret WHERE until < ?1 ORDER BY until, client_id, secret LIMIT 100";
        let mut statement = self.0.prepare_cached(sql).unwrap();
        let rows = statement.query_map([before], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        rows.unwrap().collect::<Result<_, _>>().unwrap()
    }

    fn append(&self, rows: &Rows) {
        for event in &rows.events {
            self.run(
                "INSERT INTO event (client_id, revision, commit_id, event) VALUES (?1, ?2, ?3, ?4)",
                params![rows.id, rows.revision, rows.commit_id, event],
            );
        }
    }

    fn transact(&self, work: impl FnOnce()) {
        self.run("BEGIN IMMEDIATE", []);
        work();
        self.run("COMMIT", []);
    }

    fn run(&self, sql: &str, values: impl rusqlite::Params) {
        self.0.prepare_cached(sql).unwrap().execute(values).unwrap();
    }
}

impl Rows {
    /// The rows of a commit's only change.
    pub fn of(commit: &Commit) -> Self {
        let change: &RecordChange = &commit.changes()[0];
        let parts = change.record().parts().unwrap();
        let (seller, name_key) = change.index().name.as_ref().unwrap();
        let ends = change.index().ends.iter();
        Self {
            id: parts.id.as_str().to_owned(),
            revision: parts.revision.number().try_into().unwrap(),
            seller: seller.as_str().to_owned(),
            name_key: name_key.as_str().to_owned(),
            key_id: parts.key_id.as_str().to_owned(),
            format: parts.format,
            registry_id: parts.registry_id,
            body: parts.body.to_owned(),
            sealed: parts.sealed.to_vec(),
            ends: ends.map(|(id, until)| (id.number(), until.map(Timestamp::as_millis))).collect(),
            commit_id: *commit.id().as_bytes(),
            events: change
                .events()
                .iter()
                .map(|event| str::from_utf8(event.as_bytes()).unwrap().to_owned())
                .collect(),
        }
    }

    /// The same of another client.
    pub fn rename(&mut self, number: usize, id: &str) {
        self.id.replace_range(.., id);
        self.name_key = format!("calendar app of the floor {number:08}");
    }
}
