//! Where the registry of this example lives: in memory; or, with the feature `sqlite`, in a directory that holds its file and
//! its keyring. The environment can choose another store.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use client_registry::Keyring;
use client_registry::store::DynStore;
use client_registry::value::KeyId;

use crate::place::{Place, directory};

/// A place for records and, unless that is memory, a directory for the keyring. Both outlive a run.
pub(crate) struct Home {
    directory: PathBuf,
    place: Place,
}

impl Home {
    pub(crate) async fn open() -> Result<Self, Box<dyn Error>> {
        let otherwise = if cfg!(feature = "sqlite") { "sqlite" } else { "memory" };
        let place = Place::said(&directory("rotation"), otherwise)?;
        // Each kind of store has a keyring of its own, which another one does not move on.
        let directory = match &place {
            #[cfg(feature = "postgres")]
            Place::Postgres { .. } => directory("rotation-postgres"),
            _ => directory("rotation"),
        };
        let home = Self { directory, place };
        if home.is_in_memory() {
            return Ok(home);
        }
        // A run that was to begin anew, and was killed before it had put everything away.
        home.put_away()?;
        fs::create_dir_all(&home.directory)?;
        if !home.keys().exists() {
            println!("A keyring is made, and kept in {}", home.keys().display());
            println!(
                "A real platform keeps it where it keeps its other secrets, and never beside what it protects."
            );
            home.keep(&Keyring::generate(KeyId::parse("2026")?)?)?;
        }
        Ok(home)
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) fn is_in_memory(&self) -> bool {
        matches!(self.place, Place::Memory)
    }

    pub(crate) async fn store(&self) -> Result<DynStore, Box<dyn Error>> {
        self.place.store().await
    }

    /// The keyring that was kept. What is in memory goes with the process, and so may its keyring.
    pub(crate) fn keyring(&self) -> Result<Keyring, Box<dyn Error>> {
        if self.is_in_memory() {
            return Ok(Keyring::generate(KeyId::parse("2026")?)?);
        }
        Ok(Keyring::parse(&fs::read_to_string(self.keys())?)?)
    }

    /// Keeps a keyring in place of the one before: all of it, or the one before.
    pub(crate) fn keep(&self, keyring: &Keyring) -> Result<(), Box<dyn Error>> {
        let written = self.directory.join("keyring.new");
        keyring.expose(|text| fs::write(&written, text))?;
        Ok(fs::rename(written, self.keys())?)
    }

    /// A keyring with a new primary key, of the year after the one that was primary until now.
    pub(crate) fn with_new_key(&self, keyring: &Keyring) -> Result<Keyring, Box<dyn Error>> {
        let year: u32 = keyring.primary().as_str().parse()?;
        let new = Keyring::generate(KeyId::parse(&(year + 1).to_string())?)?;
        let both = new.expose(|new| keyring.expose(|old| Keyring::parse(&format!("{new},{old}"))))?;
        self.keep(&both)?;
        Ok(both)
    }

    /// The keyring without the keys that are no longer needed.
    pub(crate) fn keep_primary(&self, keyring: &Keyring) -> Result<(), Box<dyn Error>> {
        let primary = keyring.expose(|all| Keyring::parse(all.split(',').next().unwrap_or_default()))?;
        self.keep(&primary)
    }

    /// Puts everything away, so that the next run begins anew.
    pub(crate) async fn begin_anew(&self) -> Result<(), Box<dyn Error>> {
        fs::rename(&self.directory, self.old())?;
        self.put_away()?;
        self.place.clear().await
    }

    fn put_away(&self) -> Result<(), Box<dyn Error>> {
        if self.old().exists() {
            fs::remove_dir_all(self.old())?;
        }
        Ok(())
    }

    pub(crate) fn keys(&self) -> PathBuf {
        self.directory.join("keyring")
    }

    fn old(&self) -> PathBuf {
        self.directory.with_extension("old")
    }
}
