//! `Mailbox`: mails to sellers, on screen in place of a mail server. They lie in a SQLite file with the instant up to which notices were
//! asked for, and both are written together: so each notice becomes one mail, also when the process is killed in between.

use std::path::Path;

use client_registry::Timestamp;
use tower_sessions_rusqlite_store::tokio_rusqlite::{Connection, OptionalExtension, params};

use crate::catalogue::CatalogueError;

/// The mails.
#[derive(Debug, Clone)]
pub struct Mailbox {
    connection: Connection,
}

/// A mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The seller it goes to.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The text.
    pub body: String,
    /// When its notice was due.
    pub due: Timestamp,
}

impl Mailbox {
    /// Opens the mailbox, and makes the tables the first time.
    pub async fn open(path: &Path) -> Result<Self, CatalogueError> {
        let connection = Connection::open(path).await?;
        connection.call(|db| db.execute_batch(SCHEMA)).await?;
        Ok(Self { connection })
    }

    /// Returns the instant up to which notices were asked for; `None` before the first time.
    pub async fn asked_until(&self) -> Result<Option<Timestamp>, CatalogueError> {
        let millis = self
            .connection
            .call(|db| db.query_row("SELECT until FROM asked", [], |row| row.get::<_, i64>(0)).optional());
        Ok(millis.await?.and_then(Timestamp::from_millis))
    }

    /// Adds the mails of a window of notices, and keeps the end of the window. Adds nothing if another request has moved that end.
    pub async fn add(
        &self,
        mails: Vec<Mail>,
        before: Option<Timestamp>,
        until: Timestamp,
    ) -> Result<bool, CatalogueError> {
        let added = self.connection.call(move |db| {
            let all = db.transaction()?;
            let asked =
                all.query_row("SELECT until FROM asked", [], |row| row.get::<_, i64>(0)).optional()?;
            if asked != before.map(Timestamp::as_millis) {
                return Ok(false);
            }
            for mail in mails {
                let due = mail.due.as_millis();
                all.execute(
                    "INSERT INTO mail (recipient, subject, body, due) VALUES (?1, ?2, ?3, ?4)",
                    params![mail.to, mail.subject, mail.body, due],
                )?;
            }
            all.execute("DELETE FROM asked", [])?;
            all.execute("INSERT INTO asked (until) VALUES (?1)", [until.as_millis()])?;
            all.commit()?;
            Ok(true)
        });
        added.await
    }

    /// Returns the latest mails, the newest first.
    pub async fn latest(&self, most: u32) -> Result<Vec<Mail>, CatalogueError> {
        let mails = self.connection.call(move |db| {
            let mut query =
                db.prepare("SELECT recipient, subject, body, due FROM mail ORDER BY id DESC LIMIT ?1")?;
            let mails = query.query_map([most], |row| {
                let due = Timestamp::from_millis(row.get("due")?).unwrap_or(Timestamp::MIN);
                Ok(Mail {
                    to: row.get("recipient")?,
                    subject: row.get("subject")?,
                    body: row.get("body")?,
                    due,
                })
            })?;
            mails.collect()
        });
        mails.await
    }
}

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS mail (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        recipient TEXT NOT NULL,
        subject TEXT NOT NULL,
        body TEXT NOT NULL,
        due INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS asked (until INTEGER NOT NULL) STRICT;
";
