//! A batch laid out for the statement that writes any number of clients.

use tokio_postgres::types::Type;

use super::batch::{Batch, Next, expectation, place_of};
use super::session::Parameter;

/// A batch as the arrays that the statement takes.
#[derive(Default)]
pub(super) struct Columns<'a> {
    ids: Vec<&'a str>,
    expected: Vec<Option<i64>>,
    under: Vec<Option<&'a str>>,
    revisions: Vec<i64>,
    key_ids: Vec<&'a str>,
    formats: Vec<i32>,
    registry_ids: Vec<&'a [u8]>,
    bodies: Vec<&'a [u8]>,
    sealed: Vec<&'a [u8]>,
    sellers: Vec<Option<&'a str>>,
    places: Vec<&'a [u8]>,
    ends_of: Vec<&'a str>,
    scopes: Vec<&'a str>,
    keys: Vec<&'a [u8]>,
    owners: Vec<&'a str>,
    holders: Vec<&'a str>,
    secrets: Vec<i64>,
    ends: Vec<Option<i64>>,
    clients: Vec<&'a str>,
    made: Vec<i64>,
    commits: Vec<&'a [u8]>,
    events: Vec<&'a [u8]>,
}

impl<'a> Columns<'a> {
    pub(super) fn of(batch: &'a Batch<'a>) -> Self {
        let mut columns = Self::default();
        for next in &batch.records {
            columns.add(next);
        }
        for (entry, owner) in &batch.entries {
            let (scope, key) = place_of(entry);
            columns.scopes.push(scope);
            columns.keys.push(key);
            columns.owners.push(owner);
        }
        for stretch in &batch.history {
            columns.clients.push(stretch.client_id);
            columns.made.push(stretch.revision);
            columns.commits.push(&stretch.commit_id);
            columns.events.push(&stretch.events);
        }
        columns
    }

    fn add(&mut self, next: &'a Next<'a>) {
        let (expected, under) = expectation(next.expected);
        let parts = &next.parts;
        self.ids.push(parts.id.as_str());
        self.expected.push(expected);
        self.under.push(under);
        self.revisions.push(next.revision);
        self.key_ids.push(parts.key_id.as_str());
        self.formats.push(i32::from(parts.format));
        self.registry_ids.push(&next.parts.registry_id);
        self.bodies.push(parts.body.as_bytes());
        self.sealed.push(parts.sealed);
        self.sellers.push(next.index.name.as_ref().map(|(seller, _)| seller.as_str()));
        self.places.push(&next.places);
        self.ends_of.push(&next.ends);
        for (secret, end) in &next.index.ends {
            self.holders.push(parts.id.as_str());
            self.secrets.push(i64::from(secret.number()));
            self.ends.push(end.map(|end| end.as_millis()));
        }
    }

    pub(super) fn parameters(&self) -> [Parameter<'_>; 22] {
        [
            (&self.ids, Type::TEXT_ARRAY),
            (&self.expected, Type::INT8_ARRAY),
            (&self.under, Type::TEXT_ARRAY),
            (&self.revisions, Type::INT8_ARRAY),
            (&self.key_ids, Type::TEXT_ARRAY),
            (&self.formats, Type::INT4_ARRAY),
            (&self.registry_ids, Type::BYTEA_ARRAY),
            (&self.bodies, Type::BYTEA_ARRAY),
            (&self.sealed, Type::BYTEA_ARRAY),
            (&self.sellers, Type::TEXT_ARRAY),
            (&self.places, Type::BYTEA_ARRAY),
            (&self.ends_of, Type::TEXT_ARRAY),
            (&self.scopes, Type::TEXT_ARRAY),
            (&self.keys, Type::BYTEA_ARRAY),
            (&self.owners, Type::TEXT_ARRAY),
            (&self.holders, Type::TEXT_ARRAY),
            (&self.secrets, Type::INT8_ARRAY),
            (&self.ends, Type::INT8_ARRAY),
            (&self.clients, Type::TEXT_ARRAY),
            (&self.made, Type::INT8_ARRAY),
            (&self.commits, Type::BYTEA_ARRAY),
            (&self.events, Type::BYTEA_ARRAY),
        ]
    }
}
