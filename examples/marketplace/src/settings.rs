//! What the environment says, and the folder with the files.

use std::error::Error;
use std::fs;
use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use client_registry::Keyring;
use client_registry::value::KeyId;
use zeroize::Zeroizing;

/// The settings of a start.
#[derive(Debug)]
pub struct Settings {
    /// The folder with sessions, catalogue, keyring, the add-in's secrets, and the registry unless it is in PostgreSQL.
    pub folder: PathBuf,
    /// The address of the marketplace.
    pub listen: SocketAddr,
    /// The address of the trip calendar.
    pub calendar: SocketAddr,
    /// The public address, where a proxy terminates TLS.
    pub public: Option<String>,
    /// A PostgreSQL database with the registry.
    pub database: Option<String>,
}

impl Settings {
    /// Reads the environment.
    pub fn from_env() -> Result<Self, Box<dyn Error>> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let folder = variable("MARKETPLACE_DATA").map(PathBuf::from);
        let folder = folder.unwrap_or_else(|| std::env::temp_dir().join("client-registry-marketplace"));
        make_private(&folder)?;
        Ok(Self {
            folder,
            listen: variable("LISTEN").as_deref().unwrap_or("127.0.0.1:8080").parse()?,
            calendar: variable("CALENDAR_LISTEN").as_deref().unwrap_or("127.0.0.1:8090").parse()?,
            public: variable("PUBLIC_URL"),
            database: variable("DATABASE_URL"),
        })
    }

    /// Returns the keyring: that of `REGISTRY_KEYS`, or the one in the folder, which is made the first time.
    pub fn keyring(&self) -> Result<Keyring, Box<dyn Error>> {
        if std::env::var_os("REGISTRY_KEYS").is_some() {
            return Ok(Keyring::from_env("REGISTRY_KEYS")?);
        }
        let path = self.folder.join("registry.keys");
        match fs::read_to_string(&path).map(Zeroizing::new) {
            Ok(text) => Ok(Keyring::parse(&text)?),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let keyring = Keyring::generate(KeyId::parse("first")?)?;
                keyring.expose(|text| write_private(&path, text))?;
                Ok(keyring)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Makes a folder that nobody else can read. One that others can read is refused.
fn make_private(folder: &Path) -> Result<(), Box<dyn Error>> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
        builder.mode(0o700).create(folder)?;
        if fs::symlink_metadata(folder)?.permissions().mode() & 0o077 != 0 {
            let folder = folder.display();
            return Err(format!(
                "others may read {folder}: run `chmod 700 {folder}`, or set MARKETPLACE_DATA"
            )
            .into());
        }
    }
    #[cfg(not(unix))]
    builder.create(folder)?;
    Ok(())
}

/// Writes a file that nobody else can read, wholly or not at all.
pub fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let new = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&new)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(new, path)
}
