//! Where these examples keep their records: an application knows its store, and needs nothing of this.
//!
//! `CLIENT_REGISTRY_STORE` says `memory`, `sqlite` (with `--features sqlite`), or the URL of a PostgreSQL database (with
//! `--features postgres`), in which a schema named after the example (`client_registry_import`) is used, and emptied first.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

use client_registry::store::{DynStore, MemoryStore};
use client_registry::value::KeyId;
use client_registry::{Keyring, Registry, RegistryBuilder};

/// A place for records.
pub(crate) enum Place {
    Memory,
    #[cfg(feature = "sqlite")]
    File(PathBuf),
    #[cfg(feature = "postgres")]
    Postgres {
        url: String,
        schema: String,
    },
}

/// A registry with nothing in it yet, in the place that the environment says, or in memory.
#[allow(dead_code, reason = "one example keeps what it has")]
pub(crate) async fn begin(
    example: &str,
    builder: RegistryBuilder,
) -> Result<Registry<DynStore>, Box<dyn Error>> {
    let place = Place::said(&directory(example), "memory")?;
    place.clear().await?;
    let store = place.store().await?;
    let keyring = Keyring::generate(KeyId::parse("2026")?)?;
    Ok(builder.open(store, keyring).await?)
}

/// A directory for what an example leaves behind.
pub(crate) fn directory(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target").join(name)
}

impl Place {
    /// What the environment says; a file is in this directory, and a schema has its name.
    #[cfg_attr(not(any(feature = "sqlite", feature = "postgres")), allow(unused_variables))]
    pub(crate) fn said(directory: &Path, otherwise: &str) -> Result<Self, Box<dyn Error>> {
        let said = std::env::var("CLIENT_REGISTRY_STORE").unwrap_or_else(|_| otherwise.to_owned());
        match said.as_str() {
            "memory" => Ok(Self::Memory),
            #[cfg(feature = "sqlite")]
            "sqlite" => Ok(Self::File(directory.join("registry.db"))),
            #[cfg(feature = "postgres")]
            url if url.starts_with("postgres") => {
                let name = directory.file_name().and_then(|name| name.to_str()).unwrap_or("example");
                Ok(Self::Postgres { url: said, schema: format!("client_registry_{name}") })
            }
            _ => Err("CLIENT_REGISTRY_STORE: memory, sqlite (with --features sqlite), or postgres://user:password@host/database \
                      (with --features postgres)"
                .into()),
        }
    }

    pub(crate) async fn store(&self) -> Result<DynStore, Box<dyn Error>> {
        Ok(match self {
            Self::Memory => DynStore::new(MemoryStore::new()),
            #[cfg(feature = "sqlite")]
            Self::File(path) => {
                std::fs::create_dir_all(path.parent().unwrap_or(path))?;
                DynStore::new(client_registry::store::SqliteStore::open(path)?)
            }
            #[cfg(feature = "postgres")]
            Self::Postgres { url, schema } => {
                use client_registry::store::{PostgresOptions, PostgresStore};
                let options = PostgresOptions::new().schema(schema)?;
                DynStore::new(PostgresStore::connect_with(url, options).await?)
            }
        })
    }

    /// Takes away what an earlier run has left.
    pub(crate) async fn clear(&self) -> Result<(), Box<dyn Error>> {
        match self {
            Self::Memory => {}
            #[cfg(feature = "sqlite")]
            Self::File(path) => {
                for end in ["", "-wal", "-shm"] {
                    let mut path = path.clone().into_os_string();
                    path.push(end);
                    match std::fs::remove_file(path) {
                        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                            return Err(error.into());
                        }
                        _ => {}
                    }
                }
            }
            #[cfg(feature = "postgres")]
            Self::Postgres { url, schema } => {
                let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
                let connection = tokio::spawn(connection);
                client.batch_execute(&format!("DROP SCHEMA IF EXISTS {schema} CASCADE")).await?;
                drop(client);
                connection.await??;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("memory, and gone"),
            #[cfg(feature = "sqlite")]
            Self::File(path) => path.display().fmt(f),
            #[cfg(feature = "postgres")]
            Self::Postgres { schema, .. } => write!(f, "the schema {schema} of the database"),
        }
    }
}
