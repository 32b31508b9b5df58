//! The program as it is started: in a file, and in PostgreSQL. It stops when it is asked to, and loses no last use.
#![cfg(unix)]

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use client_registry::store::{DynStore, PostgresStore, SqliteStore};
use client_registry::value::KeyId;
use client_registry::{ClientId, Keyring, Registry};

type Failure = Box<dyn Error>;

#[tokio::test]
async fn in_a_file() -> Result<(), Failure> {
    let file = std::env::temp_dir().join(format!("token-endpoint-test-{}.db", std::process::id()));
    let place = file.to_str().ok_or("not a text")?;
    let keyring = run(place).await?;
    let store = DynStore::new(SqliteStore::open(place)?);
    let used = was_used(store, keyring).await;
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(Path::new(&format!("{place}{end}")));
    }
    assert!(used?);
    Ok(())
}

#[tokio::test]
#[ignore = "needs an empty database: CLIENT_REGISTRY_POSTGRES_URL"]
async fn in_postgresql() -> Result<(), Failure> {
    let url = std::env::var("CLIENT_REGISTRY_POSTGRES_URL")?;
    let keyring = run(&url).await?;
    assert!(was_used(DynStore::new(PostgresStore::connect(&url).await?), keyring).await?);
    Ok(())
}

/// Starts the program, gets a token with what it prints, and stops it.
async fn run(place: &str) -> Result<Keyring, Failure> {
    let keyring = Keyring::generate(KeyId::parse("test")?)?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_token-endpoint"));
    command.env("REGISTRY_STORE", place).env("LISTEN", "127.0.0.1:0").env("RUST_LOG", "error");
    keyring.expose(|text| command.env("REGISTRY_KEYS", text));
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let mut lines = BufReader::new(child.stdout.take().ok_or("no output")?).lines();
    let mut after = |start: &str| {
        lines
            .find_map(|line| line.ok()?.strip_prefix(start).map(|rest| rest.trim().to_owned()))
            .ok_or(start.to_owned())
    };
    let url = after("listening on ")?;
    let (id, secret) = (after("client ID")?, after("client secret")?);
    let request = reqwest::Client::new().post(format!("{url}/token")).basic_auth(id, Some(secret));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let response = request.body("grant_type=client_credentials").send().await?;
    assert_eq!(response.status(), 200);
    drop(response);
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status()?.success());
    after("stopped")?;
    assert!(child.wait()?.success());
    Ok(keyring)
}

/// Returns whether the use of the secret is in the store.
async fn was_used(store: DynStore, keyring: Keyring) -> Result<bool, Failure> {
    let registry = Registry::open(store, keyring).await?;
    let contoso = registry.as_seller("contoso")?;
    let found = contoso.client_named("calendar app").await?.ok_or("no client")?;
    let id: &ClientId = found.client().id();
    let secret = found.client().secrets().next().ok_or("no secret")?.id();
    Ok(contoso.client(id).plan_deletion(secret).await?.last_used().is_some())
}
