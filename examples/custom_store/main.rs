//! A store written from nothing: JSON files in a directory, for one process at a time. It keeps the whole contract, which the
//! conformance suite proves at the end. It is not fast with more than some thousand clients. It needs a system that can flush a
//! directory like a file, which is all but Windows.
//!
//! ```text
//! cargo run --features conformance --example custom_store
//! ```
//!
//! There is a file for each record, and a journal with the latest commit. Publishing the journal, one atomic rename, is the
//! commit: before it nothing has happened, after it everything has, however many clients change. The records of the journal are
//! written to their files when the next commit begins. A crash at any point leaves a journal and files that can be opened.
//!
//! The store reaches the file system through the trait `Files`, so that the suite can replace it with a disk that loses power.

mod factory;
mod files;
mod state;
mod store;

use std::error::Error;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use client_registry::conformance;
use client_registry::value::KeyId;
use client_registry::{ClientDetails, Keyring, Lifetime, Registry};

use crate::factory::{OnDisks, TWO_STORES};
use crate::files::OnDisk;
use crate::store::FileStore;

#[pollster::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let directory = Directory::new();
    let keyring = Keyring::generate(KeyId::parse("2026")?)?;
    let registry = Registry::open(FileStore::open(OnDisk::open(&directory.0)?)?, keyring.clone()).await?;
    let details = ClientDetails::new("calendar app", "app.contoso.com", "https://app.contoso.com/done")?;
    let contoso = registry.as_seller("contoso")?;
    let issued = contoso.register(details, Lifetime::OneYear).await?;
    println!("{} is registered", issued.client_id());
    drop((contoso, registry));

    let registry = Registry::open(FileStore::open(OnDisk::open(&directory.0)?)?, keyring).await?;
    let secret = issued.client_secret().expose();
    let who = registry.authenticate(issued.client_id().as_str(), secret).await?;
    println!("opened again, secret {} is a password, and signs: {}\n", who.secret_id(), who.signs());

    let report = conformance::run(OnDisks::default());
    println!("{report}");
    // One store at a time: the cases that need two in one place are skipped.
    report.assert_complete_but_for(&TWO_STORES);
    Ok(())
}

/// A directory that is removed when it is dropped.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("custom-store-{}-{number}", std::process::id())))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
