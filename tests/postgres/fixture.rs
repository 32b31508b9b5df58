//! A dump of an earlier version is restored with everything in it.

use crate::support::registries;
use crate::support::server::{Schema, Server, run};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dumps_of_earlier_versions_are_restored_and_open() {
    for month in registries::MONTHS {
        let facts = registries::facts(month, "postgres");
        let dump = std::fs::read_to_string(registries::folder(month, "postgres").join("dump.sql")).unwrap();
        let schema = Schema::shared();
        // psql's own commands, which newer versions of pg_dump write, are not the server's.
        let sql: String =
            dump.lines().filter(|line| !line.starts_with('\\')).flat_map(|line| [line, "\n"]).collect();
        run(&schema.url, &sql.replace("client_registry", &schema.name)).await;
        let builder = registries::builder(&registries::clock_of(&facts), 3);
        let registry = builder.open(schema.store().await, registries::keyring()).await.unwrap();
        registries::examine(&registry, &facts).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "writes the dump that later versions must open: for a new format, see tests/README.md"]
async fn write_fixture() {
    let server = Server::start();
    let schema = Schema { url: server.url(), name: "client_registry".to_owned() };
    let mut filling = registries::Filling::new();
    filling.begin(schema.store().await).await;
    filling.go_on(schema.store().await).await;
    let facts = filling.end(schema.store().await).await;
    let options = ["-n", "client_registry", "--no-owner", "--no-privileges", "--inserts", "postgres"];
    let dump = server.must("pg_dump", &options);
    std::fs::write(registries::write_facts("postgres", &facts).join("dump.sql"), dump).unwrap();
}
