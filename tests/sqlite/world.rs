//! A registry in a file in a directory that goes with the test.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use client_registry::store::{SqliteStore, StoreError};
use client_registry::{
    ClientDetails, ClientId, Days, Issued, KeyId, Keyring, Lifetime, ManualClock, NewSecret, Registry,
    SecretId, Seller, Timestamp,
};
use pollster::block_on;

/// A directory of its own, gone with this.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name =
            format!("client-registry-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The file that the registry is in.
    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("registry.db")
    }

    /// The engine itself, at the same file.
    pub(crate) fn engine(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.file()).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A registry in a file, under a clock set by hand.
pub(crate) struct World {
    pub(crate) registry: Registry<SqliteStore>,
    pub(crate) clock: ManualClock,
    pub(crate) contoso: Seller<SqliteStore>,
    pub(crate) scratch: Scratch,
}

impl World {
    pub(crate) fn new() -> Self {
        let scratch = Scratch::new();
        let store = SqliteStore::open(scratch.file()).unwrap();
        Self::of(scratch, store)
    }

    pub(crate) fn of(scratch: Scratch, store: SqliteStore) -> Self {
        let clock = ManualClock::new("2026-03-01T09:00:00Z".parse().unwrap());
        Self::under(scratch, store, clock)
    }

    fn under(scratch: Scratch, store: SqliteStore, clock: ManualClock) -> Self {
        let registry = block_on(Registry::builder().clock(clock.clone()).open(store, keyring())).unwrap();
        let contoso = registry.as_seller("contoso").unwrap();
        Self { registry, clock, contoso, scratch }
    }

    /// Everything is closed.
    pub(crate) fn close(self) -> (Scratch, ManualClock) {
        let Self { registry, contoso, clock, scratch } = self;
        drop((registry, contoso));
        (scratch, clock)
    }

    /// Closed, and opened again.
    pub(crate) fn again(self) -> Self {
        let (scratch, clock) = self.close();
        let store = SqliteStore::open(scratch.file()).unwrap();
        Self::under(scratch, store, clock)
    }

    pub(crate) fn store(&self) -> &SqliteStore {
        self.registry.store()
    }

    pub(crate) fn register(&self, name: &str) -> Issued {
        block_on(self.contoso.register(details(name), Lifetime::OneYear)).unwrap()
    }

    pub(crate) fn add_secret(&self, client_id: &ClientId) -> Issued {
        block_on(self.contoso.client(client_id).add_secret(NewSecret::lasting(Lifetime::OneYear))).unwrap()
    }

    pub(crate) fn delete(&self, client_id: &ClientId, secret: SecretId) {
        drop(block_on(self.contoso.client(client_id).delete_in_emergency(secret, None)).unwrap());
    }

    pub(crate) fn now(&self) -> Timestamp {
        client_registry::Clock::wall(&self.clock)
    }

    pub(crate) fn in_days(&self, days: u32) -> Timestamp {
        self.now().saturating_add(Days::new(days).into())
    }
}

/// The keyring of every registry here.
pub(crate) fn keyring() -> Keyring {
    Keyring::new(KeyId::parse("2026").unwrap(), &KEY).unwrap()
}

pub(crate) const KEY: [u8; 32] = *b"thirty-two bytes to seal it with";

pub(crate) fn details(name: &str) -> ClientDetails {
    ClientDetails::new(name, "app.contoso.com", "https://app.contoso.com/done").unwrap()
}

/// What lies behind an error of the store, in words.
pub(crate) fn in_words(error: &StoreError) -> String {
    let mut words = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(error) = next {
        words.push_str(&format!(": {error}"));
        next = error.source();
    }
    words
}

/// A test of this binary as a process of its own, which then finds `ROLE` in its environment.
#[cfg(unix)]
pub(crate) fn child(test: &str, file: &Path) -> std::process::Command {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(ROLE, "child").env(FILE, file);
    command
}

/// The file that this process is to work on, if it is a child.
#[cfg(unix)]
pub(crate) fn as_child() -> Option<PathBuf> {
    std::env::var_os(ROLE)?;
    std::env::var_os(FILE).map(PathBuf::from)
}

#[cfg(unix)]
const ROLE: &str = "CLIENT_REGISTRY_TEST_ROLE";
#[cfg(unix)]
const FILE: &str = "CLIENT_REGISTRY_TEST_FILE";
