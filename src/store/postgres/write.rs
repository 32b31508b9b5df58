//! Commits: one statement, which is one round trip and one transaction.
//!
//! The statement writes only where all of what is there is as expected, and says so in a row; the answer is read to the end,
//! after the server has committed. Two kinds: [one client](UPDATE_ONE) whose places stay as they are, where the condition
//! stands in the update itself; and [any number](WHOLE) of them, locked in the order of their IDs first.
//!
//! Where two write at the same time, PostgreSQL lets the second one wait and then look again. What that cannot settle (a new
//! row that somebody else has just made, too) is an error of the statement, which is rolled back and sent again: now it sees
//! what the other one did, and says so.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::PostgresStore;
use super::batch::{Batch, Next, Reach, client_of, ends_without, place_of};
use super::failure::{Failure, commit_error};
use super::proof::PROOF;
use super::server::Server;
use super::session::{Parameter, Session};
use super::turns::Turn;
use crate::event::Revision;
use crate::id::{KeyId, SecretId};
use crate::store::{CommitError, Expected, StoreError, StoreErrorKind};

#[derive(Debug)]
pub(super) struct Writes {
    one: OneClient,
    /// Why nothing was written for one client.
    why: String,
    whole: String,
    /// Only records that are not there yet.
    new: String,
    found: String,
    pub(super) proof: String,
}

/// For one client: its record and its trail, and what becomes of its secrets.
#[derive(Debug)]
struct OneClient {
    /// Nothing, and there is no trail either: it is resealed.
    sealed_anew: String,
    nothing: String,
    /// One comes, or ends otherwise.
    put: String,
    puts: String,
    drops: String,
    puts_and_drops: String,
}

impl Writes {
    pub(super) fn new(server: &Server) -> Self {
        let one = |secrets: &[&str]| {
            let secrets = secrets.concat();
            server.statement(&format!("WITH changed AS ({UPDATE_ONE}) {secrets} {TRAIL_OF_ONE}"))
        };
        let whole = WHOLE.replace("{lock}", "FOR UPDATE").replace("{there}", THERE);
        let whole =
            whole.replace("{changed}", "(SELECT count(*) FROM changed) + (SELECT count(*) FROM made)");
        let new = WHOLE.replace("{lock}", "").replace("{there}", NOT_THERE);
        let new = new.replace("{changed}", "(SELECT count(*) FROM made)");
        Self {
            one: OneClient {
                sealed_anew: server.statement(UPDATE_ONE),
                nothing: one(&[]),
                put: one(&[PUT]),
                puts: one(&[PUTS]),
                drops: one(&[DROPS]),
                puts_and_drops: one(&[PUTS, DROPS]),
            },
            why: server.statement(WHY),
            whole: server.statement(&whole),
            new: server.statement(&new),
            found: server.statement(
                "SELECT id, revision, key_id FROM client_registry.records WHERE id = ANY ($1) AND {primary}",
            ),
            proof: server.statement(PROOF),
        }
    }
}

impl OneClient {
    fn statement(&self, has_trail: bool, puts: usize, drops: usize) -> &str {
        match (has_trail, puts, drops) {
            (false, ..) => &self.sealed_anew,
            (_, 0, 0) => &self.nothing,
            (_, 1, 0) => &self.put,
            (_, _, 0) => &self.puts,
            (_, 0, _) => &self.drops,
            _ => &self.puts_and_drops,
        }
    }
}

/// Whether commits are to wait for standbys.
type Waits = bool;

/// What a statement said.
enum Answer {
    Written,
    /// Refused, by a server whose commits are, or are not, to wait for standbys.
    Refused(CommitError, Waits),
    /// What is there is as expected, and nothing was written: somebody else was there at the same time.
    Overtaken,
    /// More of that by which the client is found is different than was guessed.
    Elsewhere,
}

impl PostgresStore {
    pub(super) async fn write(&self, batch: &Batch<'_>, reach: Reach) -> Result<(), CommitError> {
        if batch.records.is_empty() {
            return Ok(());
        }
        let (_turn, mut session) = self.turn(batch).await.map_err(commit_error)?;
        if let Some((entry, first)) = batch.clash() {
            let rows = session.query(&self.inner.writes.found, &[(&ids(batch), Type::TEXT_ARRAY)]).await;
            let found = found(&rows.map_err(commit_error)?).map_err(commit_error)?;
            return Err(match unmet(batch, &found) {
                Some(conflict) => conflict,
                None => CommitError::Taken { entry: entry.clone(), by: client_of(first)? },
            });
        }
        let mut reach = reach;
        let mut last = None;
        for _ in 0..ATTEMPTS {
            let answer = match (batch.records.as_slice(), &reach) {
                ([next], Reach::Secrets(touched)) if *next.expected != Expected::Absent => {
                    self.write_one(&mut session, batch, next, touched).await
                }
                _ => self.write_whole(&mut session, batch).await,
            };
            match answer {
                Ok(Answer::Written) => return Ok(()),
                Ok(Answer::Refused(refused @ CommitError::Conflict { .. }, true)) => {
                    self.prove(&mut session, batch).await?;
                    return Err(refused);
                }
                Ok(Answer::Refused(refused, _)) => return Err(refused),
                Ok(Answer::Overtaken) => {}
                Ok(Answer::Elsewhere) => reach = Reach::Everything,
                Err(failure) if failure.lost_a_race() => last = Some(failure),
                // Nothing was sent: the connection was lost while it lay in the pool.
                Err(failure) if failure.is_of_the_connection() && !failure.was_sent() && last.is_none() => {
                    last = Some(failure);
                    drop(session); // Or it would wait for itself.
                    session = self.session().await.map_err(commit_error)?;
                }
                Err(failure) => return Err(commit_error(failure)),
            }
        }
        Err(last.map_or_else(
            || {
                let why = "others wrote at the same time again and again";
                CommitError::NotWritten(StoreError::with_source(StoreErrorKind::Unavailable, why))
            },
            commit_error,
        ))
    }

    /// A turn of the clients of a batch, and then a connection.
    async fn turn(&self, batch: &Batch<'_>) -> Result<(Turn<'_>, Session), Failure> {
        if Handle::try_current().is_err() {
            return Err(Failure::NoRuntime);
        }
        let within = self.inner.options.acquire_timeout;
        let deadline = Instant::now() + within;
        let turn = self.inner.turns.take(ids(batch), deadline).await.ok_or(Failure::OutOfTurn(within))?;
        let left = deadline.saturating_duration_since(Instant::now()).max(AT_LEAST);
        Ok((turn, self.session_within(left).await?))
    }

    async fn write_one(
        &self,
        session: &mut Session,
        batch: &Batch<'_>,
        next: &Next<'_>,
        touched: &[SecretId],
    ) -> Result<Answer, Failure> {
        let (expected, under) = expectation(next.expected);
        let parts = &next.parts;
        let (id, key_id, format) = (parts.id.as_str(), parts.key_id.as_str(), i32::from(parts.format));
        let (body, registry_id) = (parts.body.as_bytes(), parts.registry_id.as_slice());
        let places = next.places.as_slice();
        let made = batch.history.first();
        let commit_id = made.map(|made| made.commit_id.as_slice());
        let events = made.map(|made| made.events.as_slice());
        let (secrets, ends): (Vec<_>, Vec<_>) = next
            .index
            .ends
            .iter()
            .filter(|(secret, _)| touched.contains(secret))
            .map(|(secret, end)| (i64::from(secret.number()), end.map(|end| end.as_millis())))
            .unzip();
        let touched_numbers = touched.iter().map(|secret| i64::from(secret.number()));
        let gone: Vec<_> = touched_numbers.filter(|number| !secrets.contains(number)).collect();
        let keys: Vec<_> = touched.iter().map(SecretId::to_string).collect();
        let others = ends_without(next.index, touched);
        let parameters: [Parameter<'_>; 18] = [
            (&id, Type::TEXT),
            (&expected, Type::INT8),
            (&under, Type::TEXT),
            (&next.revision, Type::INT8),
            (&key_id, Type::TEXT),
            (&format, Type::INT4),
            (&registry_id, Type::BYTEA),
            (&body, Type::BYTEA),
            (&parts.sealed, Type::BYTEA),
            (&next.ends, Type::TEXT),
            (&places, Type::BYTEA),
            (&keys, Type::TEXT_ARRAY),
            (&others, Type::TEXT),
            (&commit_id, Type::BYTEA),
            (&events, Type::BYTEA),
            (&secrets, Type::INT8_ARRAY),
            (&ends, Type::INT8_ARRAY),
            (&gone, Type::INT8_ARRAY),
        ];
        let writes = &self.inner.writes;
        let sql = writes.one.statement(made.is_some(), secrets.len(), gone.len());
        if session.write(sql, &parameters).await?.len() == 1 {
            return Ok(Answer::Written);
        }
        let guess: [Parameter<'_>; 4] =
            [(&id, Type::TEXT), (&places, Type::BYTEA), (&keys, Type::TEXT_ARRAY), (&others, Type::TEXT)];
        let rows = session.query(&writes.why, &guess).await?;
        if let Some(conflict) = unmet(batch, &found(&rows)?) {
            let waits = rows.first().map(|row| column(row, 4)).transpose()?.unwrap_or_default();
            return Ok(Answer::Refused(conflict, waits));
        }
        let is_as_guessed = rows.first().map(|row| column(row, 3)).transpose()?.unwrap_or_default();
        Ok(if is_as_guessed { Answer::Overtaken } else { Answer::Elsewhere })
    }

    async fn write_whole(&self, session: &mut Session, batch: &Batch<'_>) -> Result<Answer, Failure> {
        let columns = Columns::of(batch);
        let is_new = batch.records.iter().all(|next| *next.expected == Expected::Absent);
        let writes = &self.inner.writes;
        let sql = if is_new { &writes.new } else { &writes.whole };
        let rows = session.write(sql, &columns.parameters()).await?;
        let row = only(&rows)?;
        if column::<i64>(row, 0)? > 0 {
            return Ok(Answer::Written);
        }
        let found = found_in_columns(row)?;
        if let Some(conflict) = unmet(batch, &found) {
            return Ok(Answer::Refused(conflict, column(row, 6)?));
        }
        let Some(position) = column::<Option<i64>>(row, 4)? else {
            return Ok(Answer::Overtaken);
        };
        // Counted from 1.
        let entry = usize::try_from(position - 1).ok().and_then(|position| batch.entries.get(position));
        let (entry, _) = entry.ok_or_else(|| Failure::senseless("an entry that was not asked for"))?;
        let by = super::read::client_id(row, 5)?;
        Ok(Answer::Refused(CommitError::Taken { entry: entry.clone(), by }, false))
    }
}

/// A batch as the arrays that the statement takes.
#[derive(Default)]
struct Columns<'a> {
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
    fn of(batch: &'a Batch<'a>) -> Self {
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

    fn parameters(&self) -> [Parameter<'_>; 22] {
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

/// A record that was found: its ID, revision and key.
type Found = (String, i64, String);

/// The first expectation that does not hold.
fn unmet(batch: &Batch<'_>, found: &[Found]) -> Option<CommitError> {
    batch.records.iter().find_map(|next| {
        let id = next.parts.id.as_str();
        let there = found.iter().find(|(found, ..)| found == id);
        let there = there.map(|(_, revision, key_id)| {
            (Revision::new(u64::try_from(*revision).unwrap_or_default()), KeyId::parse(key_id).ok())
        });
        let holds =
            next.expected.holds(there.as_ref().map(|(revision, key_id)| (*revision, key_id.as_ref())));
        let found = there.map(|(revision, _)| revision);
        (!holds).then(|| CommitError::Conflict { record_id: id.into(), found })
    })
}

fn found(rows: &[Row]) -> Result<Vec<Found>, Failure> {
    rows.iter().map(|row| Ok((column(row, 0)?, column(row, 1)?, column(row, 2)?))).collect()
}

fn found_in_columns(row: &Row) -> Result<Vec<Found>, Failure> {
    let ids = column::<Option<Vec<String>>>(row, 1)?.unwrap_or_default();
    let revisions = column::<Option<Vec<i64>>>(row, 2)?.unwrap_or_default();
    let key_ids = column::<Option<Vec<String>>>(row, 3)?.unwrap_or_default();
    Ok(ids
        .into_iter()
        .zip(revisions)
        .zip(key_ids)
        .map(|((id, revision), key_id)| (id, revision, key_id))
        .collect())
}

/// The revision and the key that are expected; none where there must be no record.
fn expectation(expected: &Expected) -> (Option<i64>, Option<&str>) {
    // A revision that does not fit was never written here.
    let number = |revision: &Revision| Some(i64::try_from(revision.number()).unwrap_or(i64::MAX));
    match expected {
        Expected::Absent => (None, None),
        Expected::Exactly(revision) => (number(revision), None),
        Expected::Under(revision, key_id) => (number(revision), Some(key_id.as_str())),
    }
}

fn ids<'a>(batch: &Batch<'a>) -> Vec<&'a str> {
    batch.records.iter().map(|next| next.parts.id.as_str()).collect()
}

fn only(rows: &[Row]) -> Result<&Row, Failure> {
    rows.first().ok_or_else(|| Failure::senseless("no answer to a commit"))
}

fn column<'a, T: tokio_postgres::types::FromSql<'a>>(row: &'a Row, position: usize) -> Result<T, Failure> {
    row.try_get(position).map_err(Failure::senseless)
}

/// One client, whose places stay as they are, and whose secrets are different only where the events say so: the condition
/// stands in the update. A row comes back if it was made.
const UPDATE_ONE: &str = "
    UPDATE client_registry.records r
    SET revision = $4, key_id = $5, format = $6, registry_id = $7, body = $8, sealed = $9, ends = $10::jsonb
    WHERE r.id = $1 AND r.revision = $2 AND ($3::text IS NULL OR r.key_id = $3)
        AND r.places = $11 AND r.ends - $12 = $13::jsonb AND {durable}
    RETURNING r.id, r.revision";

const TRAIL_OF_ONE: &str = "
, unnumbered AS (
    INSERT INTO client_registry.pending (client_id, revision) SELECT id, revision FROM changed
)
INSERT INTO client_registry.history (client_id, revision, commit_id, events)
SELECT id, revision, $14, $15 FROM changed RETURNING revision";

const PUT: &str = "
, put AS (
    INSERT INTO client_registry.secrets (client_id, secret, ends) SELECT id, ($16)[1], ($17)[1] FROM changed
    ON CONFLICT (client_id, secret) DO UPDATE SET ends = excluded.ends
)";

const PUTS: &str = "
, put AS (
    INSERT INTO client_registry.secrets (client_id, secret, ends)
    SELECT $1, n.secret, n.ends FROM unnest($16, $17) AS n(secret, ends), changed
    ON CONFLICT (client_id, secret) DO UPDATE SET ends = excluded.ends
)";

const DROPS: &str = "
, dropped AS (
    DELETE FROM client_registry.secrets s USING changed WHERE s.client_id = $1 AND s.secret = ANY ($18)
)";

/// What is there, and whether it was as guessed.
const WHY: &str = "
SELECT id, revision, key_id, places = $2 AND ends - $3 = $4::jsonb, {waits}
FROM client_registry.records WHERE id = $1 AND {primary}";

/// Any number of clients: locked first, in the order of their IDs, and written only where all expectations hold and nothing
/// is taken. What one of them gives up and another one takes is moved, never deleted and made again.
const WHOLE: &str = "
WITH next AS (
    SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        AS n(id, expected, under, revision, key_id, format, registry_id, body, sealed, seller, places, ends)
), found AS (
    SELECT id, revision, key_id FROM client_registry.records WHERE id = ANY ($1) ORDER BY id {lock}
), wanted AS (
    SELECT * FROM unnest($13, $14, $15) WITH ORDINALITY AS w(scope, key, client_id, position)
), owned AS (
    SELECT w.scope, w.key, w.client_id, w.position, e.client_id AS owner
    FROM wanted w JOIN client_registry.entries e ON e.scope = w.scope AND e.key = w.key
), taken AS (
    SELECT position, owner FROM owned WHERE owner <> ALL ($1) ORDER BY position LIMIT 1
), ok AS (
    SELECT 1 AS yes
    WHERE NOT EXISTS (
            SELECT FROM next n LEFT JOIN found f ON f.id = n.id
            WHERE n.expected IS DISTINCT FROM f.revision OR n.under <> f.key_id
        )
        AND NOT EXISTS (SELECT FROM taken)
        AND {durable}
), made AS (
    INSERT INTO client_registry.records
        (id, revision, key_id, format, registry_id, body, sealed, seller, places, ends)
    SELECT id, revision, key_id, format, registry_id, body, sealed, seller, places, ends::jsonb
    FROM next, ok WHERE expected IS NULL ORDER BY id
    RETURNING id
), {there}
entered AS (
    INSERT INTO client_registry.entries (scope, key, client_id)
    SELECT w.scope, w.key, w.client_id FROM wanted w, ok
    WHERE NOT EXISTS (SELECT FROM owned o WHERE o.scope = w.scope AND o.key = w.key)
    ORDER BY w.scope, w.key
), trail AS (
    INSERT INTO client_registry.history (client_id, revision, commit_id, events)
    SELECT h.client_id, h.revision, h.commit_id, h.events
    FROM unnest($19, $20, $21, $22) AS h(client_id, revision, commit_id, events), ok
), unnumbered AS (
    INSERT INTO client_registry.pending (client_id, revision)
    SELECT h.client_id, h.revision FROM unnest($19, $20) AS h(client_id, revision), ok
)
SELECT
    (SELECT CASE WHEN n IN (0, cardinality($1)) THEN n::text ELSE 'half of a commit' END
        FROM (SELECT {changed} AS n) written)::bigint,
    (SELECT array_agg(id) FROM found),
    (SELECT array_agg(revision) FROM found),
    (SELECT array_agg(key_id) FROM found),
    t.position, t.owner, {waits}
FROM (SELECT 1) one LEFT JOIN taken t ON true";

/// What is there already is brought to what it is to be.
const THERE: &str = "changed AS (
    UPDATE client_registry.records r
    SET revision = n.revision, key_id = n.key_id, format = n.format, registry_id = n.registry_id, body = n.body,
        sealed = n.sealed, seller = n.seller, places = n.places, ends = n.ends::jsonb
    FROM next n, ok WHERE r.id = n.id AND n.expected IS NOT NULL
    RETURNING r.id
), left_behind AS (
    DELETE FROM client_registry.entries e USING ok
    WHERE e.client_id = ANY ($1) AND NOT EXISTS (SELECT FROM wanted w WHERE w.scope = e.scope AND w.key = e.key)
), moved AS (
    UPDATE client_registry.entries e SET client_id = o.client_id FROM owned o, ok
    WHERE e.scope = o.scope AND e.key = o.key AND o.owner <> o.client_id
), held AS (
    SELECT * FROM unnest($16, $17, $18) AS h(client_id, secret, ends)
), gone AS (
    DELETE FROM client_registry.secrets s USING ok
    WHERE s.client_id = ANY ($1)
        AND NOT EXISTS (SELECT FROM held h WHERE h.client_id = s.client_id AND h.secret = s.secret)
), secrets AS (
    INSERT INTO client_registry.secrets (client_id, secret, ends)
    SELECT h.client_id, h.secret, h.ends FROM held h, ok
    WHERE NOT EXISTS (
        SELECT FROM client_registry.secrets s
        WHERE s.client_id = h.client_id AND s.secret = h.secret AND s.ends IS NOT DISTINCT FROM h.ends
    )
    ON CONFLICT (client_id, secret) DO UPDATE SET ends = excluded.ends
),";

/// Nothing is there yet.
const NOT_THERE: &str = "secrets AS (
    INSERT INTO client_registry.secrets (client_id, secret, ends)
    SELECT h.client_id, h.secret, h.ends FROM unnest($16, $17, $18) AS h(client_id, secret, ends), ok
),";

/// How often a commit is sent when others win over it.
const ATTEMPTS: usize = 10;
/// Whose turn has come late gets a connection that is free.
const AT_LEAST: Duration = Duration::from_millis(10);
