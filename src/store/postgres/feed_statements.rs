//! The statements of the change feed: their texts, for one server and one schema.
//!
//! Two look at the feed, one numbers it. Places are given out in the order in which they become visible: the statement that
//! numbers takes a lock first. The module `feed` says what follows from that.

use super::server::Server;

/// The texts of the statements.
#[derive(Debug)]
pub(super) struct Feed {
    pub(super) page: String,
    pub(super) last: String,
    pub(super) number: String,
}

impl Feed {
    pub(super) fn new(server: &Server) -> Self {
        let look = |at: &str| server.statement(&LOOK.replace("{at}", at));
        Self { page: look(PAGE), last: look(LAST), number: server.statement(NUMBER) }
    }
}

/// Looks at the feed: which one it is, whether any commit has no place yet, and what stands at some places.
const LOOK: &str = "
WITH here AS MATERIALIZED (
    SELECT m.store_id::text AS store_id, {place} AS place, EXISTS (SELECT FROM client_registry.pending) AS is_pending
    FROM client_registry.meta m WHERE m.one AND {primary}
)
SELECT here.store_id, here.place, here.is_pending, f.position, f.mark::text, f.events
FROM here LEFT JOIN (
    SELECT n.position, n.mark, CASE WHEN octet_length(h.events) <= 1048576 THEN h.events END AS events
    FROM (SELECT * FROM client_registry.feed {at}) n
    LEFT JOIN client_registry.history h ON h.client_id = n.client_id AND h.revision = n.revision
) f ON true
ORDER BY f.position";

const PAGE: &str = "WHERE position >= $1 ORDER BY position LIMIT $2";
const LAST: &str = "ORDER BY position DESC LIMIT 1";

/// Takes the lock, then gives out places in a second statement, which sees all that was committed before it had the lock.
///
/// A client's commits are numbered in the order of their revisions: a reader that sees one sees those before it. Without the lock
/// two readers would give out the same place, and the primary key would refuse one of them; with it they take turns. Places go on
/// from the last one in the feed. The row that is locked, `feed_end`, says the same, and is kept for nodes of older versions.
const NUMBER: &str = "
SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
SELECT position FROM client_registry.feed_end WHERE one FOR UPDATE;
WITH numbering AS MATERIALIZED (
    SELECT coalesce(max(position), 0) AS position, gen_random_uuid() AS mark FROM client_registry.feed
), taken AS (
    DELETE FROM client_registry.pending WHERE (client_id, revision) IN
        (SELECT client_id, revision FROM client_registry.pending ORDER BY client_id, revision LIMIT 10000)
    RETURNING client_id, revision
), numbered AS (
    INSERT INTO client_registry.feed (position, client_id, revision, mark)
    SELECT greatest(n.position, 0) + row_number() OVER (ORDER BY t.client_id, t.revision), t.client_id, t.revision, n.mark
    FROM taken t, numbering n
    WHERE (CASE WHEN n.position > 4611686018427377904 THEN 'the change feed has no places left' ELSE '1' END)::integer = 1
    RETURNING position
), moved AS (
    UPDATE client_registry.feed_end SET position = (SELECT max(position) FROM numbered)
    WHERE one AND EXISTS (SELECT FROM numbered)
)
SELECT (SELECT count(*) FROM numbered) || CASE WHEN
    (SELECT position FROM client_registry.feed_end WHERE one) = (SELECT position FROM numbering)
    THEN ' as left' ELSE ' moved' END;";

/// The last place that numbering gives out: further than any registry comes, and far from where numbers end. The number in the
/// statement leaves room for one more batch.
pub(super) const LAST_PLACE: i64 = 1 << 62;

/// The number of commits that are numbered at once: the `LIMIT` in the statement.
pub(super) const BATCH: u64 = 10_000;
