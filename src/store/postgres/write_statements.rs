//! The statements that write: their texts, for one server and one schema.
//!
//! Each writes all or nothing, and only where its condition holds: the condition is part of the statement, so that no other
//! commit comes in between. What they do together stands in the module `write`, and what the proof is for in `proof`.

use super::server::Server;

/// The texts of the statements.
#[derive(Debug)]
pub(super) struct Writes {
    pub(super) one: OneClient,
    /// Why nothing was written for one client.
    pub(super) why: String,
    pub(super) whole: String,
    /// Only records that are not there yet.
    pub(super) new: String,
    pub(super) found: String,
    pub(super) proof: String,
}

/// The statements for one client: its record, its trail, and the rows of its secrets.
///
/// Each table that a statement names costs something, even where no row of it changes. Beside a bare compare-and-set with 8
/// writers, a promotion comes to 0.9 by `record_and_trail` and to 0.65 by `any_secrets`; an addition with a deletion comes to 0.76
/// by `one_secret` and `any_secrets`, and to no more if each has a statement of its own. By the statement for any number of
/// clients, both come to 0.45 to 0.5.
#[derive(Debug)]
pub(super) struct OneClient {
    /// No secret is different, and there is no trail: the record is resealed.
    record: String,
    /// No secret is different.
    record_and_trail: String,
    /// One secret is new, or ends at another time.
    one_secret: String,
    any_secrets: String,
}

impl Writes {
    pub(super) fn new(server: &Server) -> Self {
        let one = |secrets: &str| {
            server.statement(&format!("WITH changed AS ({UPDATE_ONE}) {secrets} {TRAIL_OF_ONE}"))
        };
        let whole = WHOLE.replace("{lock}", "FOR UPDATE").replace("{there}", THERE);
        let whole =
            whole.replace("{changed}", "(SELECT count(*) FROM changed) + (SELECT count(*) FROM made)");
        let new = WHOLE.replace("{lock}", "").replace("{there}", NOT_THERE);
        let new = new.replace("{changed}", "(SELECT count(*) FROM made)");
        Self {
            one: OneClient {
                record: server.statement(UPDATE_ONE),
                record_and_trail: one(""),
                one_secret: one(ONE_SECRET),
                any_secrets: one(ANY_SECRETS),
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
    pub(super) fn statement(&self, has_trail: bool, puts: usize, drops: usize) -> &str {
        match (has_trail, puts, drops) {
            (false, ..) => &self.record,
            (true, 0, 0) => &self.record_and_trail,
            (true, 1, 0) => &self.one_secret,
            _ => &self.any_secrets,
        }
    }
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

const ONE_SECRET: &str = "
, put AS (
    INSERT INTO client_registry.secrets (client_id, secret, ends) SELECT id, ($16)[1], ($17)[1] FROM changed
    ON CONFLICT (client_id, secret) DO UPDATE SET ends = excluded.ends
)";

const ANY_SECRETS: &str = "
, put AS (
    INSERT INTO client_registry.secrets (client_id, secret, ends)
    SELECT $1, n.secret, n.ends FROM unnest($16, $17) AS n(secret, ends), changed
    ON CONFLICT (client_id, secret) DO UPDATE SET ends = excluded.ends
), dropped AS (
    DELETE FROM client_registry.secrets s USING changed WHERE s.client_id = $1 AND s.secret = ANY ($18)
)";

/// Returns what is there, and whether it is as guessed.
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

/// Changes the rows of clients that exist.
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

/// Adds rows, where no client exists yet.
const NOT_THERE: &str = "secrets AS (
    INSERT INTO client_registry.secrets (client_id, secret, ends)
    SELECT h.client_id, h.secret, h.ends FROM unnest($16, $17, $18) AS h(client_id, secret, ends), ok
),";

/// Writes one row if the commit is there. Which row does not matter; it is one that the commit wrote, so that other clients'
/// changes do not wait for it.
const PROOF: &str = "
UPDATE client_registry.records r SET format = r.format
WHERE r.id = (
        SELECT id FROM (
            SELECT u.id FROM unnest($1) AS u(id)
            UNION ALL
            SELECT m.client_id FROM unnest($2, $3, $4) AS m(client_id, revision, commit_id)
            JOIN client_registry.history h
                ON h.client_id = m.client_id AND h.revision = m.revision AND h.commit_id = m.commit_id
        ) made ORDER BY id LIMIT 1
    ) AND {durable}
RETURNING r.id";
