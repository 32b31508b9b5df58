//! Where the registry of this example lives: a directory with its file and, beside it, its keyring.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use client_registry::{KeyId, Keyring};

/// A directory that outlives a run.
pub(crate) struct Home(PathBuf);

impl Home {
    pub(crate) fn open() -> Result<Self, Box<dyn Error>> {
        let home = Self(Path::new(env!("CARGO_MANIFEST_DIR")).join("target/rotation"));
        // A run that was to begin anew, and was killed before it had put everything away.
        home.put_away()?;
        fs::create_dir_all(&home.0)?;
        if !home.keys().exists() {
            println!("A keyring is made, and kept in {}", home.keys().display());
            println!(
                "A real platform keeps it where it keeps its other secrets, and never beside what it protects."
            );
            home.keep(&Keyring::generate(KeyId::parse("2026")?)?)?;
        }
        Ok(home)
    }

    /// The registry.
    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("registry.db")
    }

    pub(crate) fn keyring(&self) -> Result<Keyring, Box<dyn Error>> {
        Ok(Keyring::parse(&fs::read_to_string(self.keys())?)?)
    }

    /// Keeps a keyring in place of the one before: all of it, or the one before.
    pub(crate) fn keep(&self, keyring: &Keyring) -> Result<(), Box<dyn Error>> {
        let written = self.0.join("keyring.new");
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
    pub(crate) fn begin_anew(&self) -> Result<(), Box<dyn Error>> {
        fs::rename(&self.0, self.old())?;
        self.put_away()
    }

    fn put_away(&self) -> Result<(), Box<dyn Error>> {
        if self.old().exists() {
            fs::remove_dir_all(self.old())?;
        }
        Ok(())
    }

    fn keys(&self) -> PathBuf {
        self.0.join("keyring")
    }

    fn old(&self) -> PathBuf {
        self.0.with_extension("old")
    }
}
