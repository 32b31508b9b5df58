//! A bare compare-and-set of one row in PostgreSQL, and a bare SELECT of one: what no store can do without.

use client_registry::store::Commit;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Row, Statement};

/// One connection with its statements prepared.
pub struct Bare {
    client: Client,
    swap: Statement,
    select: Statement,
}

impl Bare {
    pub async fn connect(url: &str) -> Self {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(connection);
        let swap = "UPDATE bare SET revision = $3, body = $4, sealed = $5 WHERE id = $1 AND revision = $2 RETURNING revision";
        let swap = client.prepare(swap).await.unwrap();
        let select = client.prepare("SELECT revision, body, sealed FROM bare WHERE id = $1").await.unwrap();
        Self { client, swap, select }
    }

    /// The rows before the first change.
    pub async fn set_up(url: &str, commits: &[&Commit]) {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(connection);
        let tables = "DROP TABLE IF EXISTS bare; CREATE TABLE bare (id text COLLATE \"C\" PRIMARY KEY, \
                      revision bigint NOT NULL, body bytea NOT NULL, sealed bytea NOT NULL)";
        client.batch_execute(tables).await.unwrap();
        for commit in commits {
            let parts = commit.changes()[0].record().parts().unwrap();
            let row: [&(dyn ToSql + Sync); 3] = [&parts.id.as_str(), &parts.body.as_bytes(), &parts.sealed];
            client.execute("INSERT INTO bare VALUES ($1, 1, $2, $3)", &row).await.unwrap();
        }
    }

    /// Puts the next record in place of the one before.
    pub async fn swap(&self, commit: &Commit) {
        let parts = commit.changes()[0].record().parts().unwrap();
        let next = i64::try_from(parts.revision.number()).unwrap();
        let row: [&(dyn ToSql + Sync); 5] =
            [&parts.id.as_str(), &(next - 1), &next, &parts.body.as_bytes(), &parts.sealed];
        assert!(self.client.query_opt(&self.swap, &row).await.unwrap().is_some());
    }

    pub async fn select(&self, id: &str) -> Row {
        self.client.query_one(&self.select, &[&id]).await.unwrap()
    }
}
