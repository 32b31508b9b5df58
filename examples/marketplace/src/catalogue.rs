//! `Catalogue`: the add-ins of the marketplace, in a SQLite file of its own. The registry knows an add-in by its ID alone; its name, its
//! owner and its listing are the application's.

use std::path::Path;

use client_registry::{AddIn, AddInId, Availability, InvalidValue};
use tower_sessions_rusqlite_store::tokio_rusqlite::{
    self, Connection, OptionalExtension, Row, params, rusqlite,
};

/// The table of add-ins.
#[derive(Debug, Clone)]
pub struct Catalogue {
    connection: Connection,
}

/// An add-in as the marketplace keeps it.
#[derive(Debug, Clone)]
pub struct Listing {
    /// The ID, which the registry knows too.
    pub id: String,
    /// The seller who owns it.
    pub owner: String,
    /// Its name in the marketplace.
    pub name: String,
    /// Whether it is for China only.
    pub china: bool,
    /// Whether it needs a client ID: the tick "my add-in is a service and requires server to server authorization".
    pub oauth: bool,
    /// The name of the uploaded package; empty if there is none.
    pub package: String,
    /// Whether the listing blocks every country but China, which one for China has to.
    pub blocks_others: bool,
    /// Whether it was submitted.
    pub submitted: bool,
}

impl Listing {
    /// Returns the add-in as the registry takes it.
    pub fn add_in(&self) -> Result<AddIn, InvalidValue> {
        AddIn::new(&self.id, self.availability())
    }

    /// Returns where it is distributed.
    pub fn availability(&self) -> Availability {
        if self.china { Availability::ChinaOnly } else { Availability::Worldwide }
    }
}

/// The catalogue could not be read or written.
pub type CatalogueError = tokio_rusqlite::Error<rusqlite::Error>;

impl Catalogue {
    /// Opens the catalogue, and makes the table the first time.
    pub async fn open(path: &Path) -> Result<Self, CatalogueError> {
        let connection = Connection::open(path).await?;
        connection.call(|db| db.execute_batch(SCHEMA)).await?;
        Ok(Self { connection })
    }

    /// Adds an add-in, or says that there is one of this ID.
    pub async fn add(&self, new: Listing) -> Result<bool, CatalogueError> {
        let written = self.connection.call(move |db| {
            db.execute(
                "INSERT INTO add_in (id, owner, name, china, oauth, package, blocks_others, submitted) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (id) DO NOTHING",
                params![
                    new.id,
                    new.owner,
                    new.name,
                    new.china,
                    new.oauth,
                    new.package,
                    new.blocks_others,
                    new.submitted
                ],
            )
        });
        Ok(written.await? == 1)
    }

    /// Writes what the owner can change: the name, the tick, the package, the countries and the submission.
    pub async fn change(&self, new: Listing) -> Result<bool, CatalogueError> {
        let written = self.connection.call(move |db| {
            db.execute(
                "UPDATE add_in SET name = ?3, oauth = ?4, package = ?5, blocks_others = ?6, submitted = ?7 \
                 WHERE id = ?1 AND owner = ?2",
                params![
                    new.id,
                    new.owner,
                    new.name,
                    new.oauth,
                    new.package,
                    new.blocks_others,
                    new.submitted
                ],
            )
        });
        Ok(written.await? == 1)
    }

    /// Returns the add-ins of a seller, by name.
    pub async fn of(&self, owner: &str) -> Result<Vec<Listing>, CatalogueError> {
        let owner = owner.to_owned();
        let listed = self.connection.call(move |db| {
            let mut query = db.prepare("SELECT * FROM add_in WHERE owner = ?1 ORDER BY name, id")?;
            query.query_map([owner], listing)?.collect()
        });
        listed.await
    }

    /// Returns an add-in of a seller. One of another seller is not there.
    pub async fn find(&self, owner: &str, id: &str) -> Result<Option<Listing>, CatalogueError> {
        let (owner, id) = (owner.to_owned(), id.to_owned());
        let found = self.connection.call(move |db| {
            db.query_row("SELECT * FROM add_in WHERE owner = ?1 AND id = ?2", [owner, id], listing).optional()
        });
        found.await
    }

    /// Returns the name of an add-in, or its ID if the catalogue has none.
    pub async fn name_of(&self, id: &AddInId) -> Result<String, CatalogueError> {
        let id = id.as_str().to_owned();
        let named = self.connection.call(move |db| {
            let name =
                db.query_row("SELECT name FROM add_in WHERE id = ?1", [&id], |row| row.get(0)).optional()?;
            Ok(name.unwrap_or(id))
        });
        named.await
    }

    /// Says whether the data to look at was added.
    pub async fn is_seeded(&self) -> Result<bool, CatalogueError> {
        let version: i64 =
            self.connection.call(|db| db.query_row("PRAGMA user_version", [], |row| row.get(0))).await?;
        Ok(version > 0)
    }

    /// Notes that the data to look at was added.
    pub async fn mark_seeded(&self) -> Result<(), CatalogueError> {
        self.connection.call(|db| db.execute_batch("PRAGMA user_version = 1")).await
    }

    /// Gives an add-in to another seller, as when its client ID is transferred.
    pub async fn transfer(&self, id: &AddInId, to: &str) -> Result<(), CatalogueError> {
        let (id, to) = (id.as_str().to_owned(), to.to_owned());
        self.connection
            .call(move |db| db.execute("UPDATE add_in SET owner = ?2 WHERE id = ?1", [id, to]))
            .await?;
        Ok(())
    }
}

fn listing(row: &Row<'_>) -> rusqlite::Result<Listing> {
    Ok(Listing {
        id: row.get("id")?,
        owner: row.get("owner")?,
        name: row.get("name")?,
        china: row.get("china")?,
        oauth: row.get("oauth")?,
        package: row.get("package")?,
        blocks_others: row.get("blocks_others")?,
        submitted: row.get("submitted")?,
    })
}

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS add_in (
        id TEXT PRIMARY KEY NOT NULL,
        owner TEXT NOT NULL,
        name TEXT NOT NULL,
        china INTEGER NOT NULL,
        oauth INTEGER NOT NULL,
        package TEXT NOT NULL,
        blocks_others INTEGER NOT NULL,
        submitted INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS add_in_owner ON add_in (owner, name, id);
";
