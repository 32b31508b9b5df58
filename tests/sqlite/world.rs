//! A registry in a file in a directory that goes with the test.

use std::path::{Path, PathBuf};

use client_registry::clock::ManualClock;
use client_registry::store::SqliteStore;
use client_registry::{ClientId, Days, Issued, Lifetime, NewSecret, Registry, SecretId, Seller, Timestamp};
use pollster::block_on;

use crate::support::clock;
pub(crate) use crate::support::{KEY, Scratch, details, in_words, keyring};

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
        let clock = clock();
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
        client_registry::clock::Clock::wall(&self.clock)
    }

    pub(crate) fn in_days(&self, days: u32) -> Timestamp {
        self.now().saturating_add(Days::new(days).into())
    }
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
