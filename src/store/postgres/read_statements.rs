//! The statements that read, and the one that notes last uses: their texts, for one server and one schema.
//!
//! A statement that reads is an error on a replica, which would answer from the past. A value that is longer than any that a node
//! writes is not sent.

use super::server::Server;

/// The texts of the statements, each under the name of what it answers or does.
#[derive(Debug)]
pub(super) struct Reads {
    pub(super) record: String,
    pub(super) history: String,
    pub(super) all: String,
    pub(super) by_seller: String,
    pub(super) by_name: String,
    pub(super) by_key: String,
    pub(super) by_add_in: String,
    pub(super) ending: String,
    pub(super) last_uses: String,
    pub(super) note_uses: String,
    pub(super) note_held_uses: String,
}

impl Reads {
    pub(super) fn new(server: &Server) -> Self {
        let text = |sql: &str| server.statement(sql);
        Self {
            record: text(
                // What is longer than a record may be is not sent.
                "SELECT revision, key_id, format, registry_id, \
                 CASE WHEN octet_length(body) <= 65536 THEN body END, \
                 CASE WHEN octet_length(sealed) <= 65536 THEN sealed END \
                 FROM client_registry.records WHERE id = $1 AND {primary}",
            ),
            history: text(
                // What is longer than the events of one commit can be is not sent.
                "SELECT commit_id, revision, CASE WHEN octet_length(events) <= 1048576 THEN events END \
                 FROM client_registry.history WHERE client_id = $1 AND revision > $2 AND {primary} ORDER BY revision LIMIT $3",
            ),
            // Reserved IDs begin with `~`, after every client ID.
            all: text(
                "SELECT id FROM client_registry.records WHERE id > $1 AND id < '~' AND {primary} \
                 ORDER BY id LIMIT $2",
            ),
            by_seller: text(
                "SELECT id FROM client_registry.records WHERE seller = $3 AND id > $1 AND {primary} \
                 ORDER BY id LIMIT $2",
            ),
            by_name: text(
                "SELECT client_id FROM client_registry.entries \
                 WHERE scope = $3 AND key = $4 AND client_id > $1 AND {primary} LIMIT $2",
            ),
            by_key: text(
                "SELECT id FROM client_registry.records WHERE key_id = $3 AND id > $1 AND id < '~' AND {primary} \
                 ORDER BY id LIMIT $2",
            ),
            by_add_in: text(
                "SELECT client_id FROM client_registry.entries WHERE scope = '' AND key = $1 AND {primary}",
            ),
            ending: text(
                "SELECT ends, client_id, secret FROM client_registry.secrets \
                 WHERE ends < $1 AND ends >= $2 AND (ends, client_id, secret) > ($2, $3, $4) AND {primary} \
                 ORDER BY ends, client_id, secret LIMIT $5",
            ),
            last_uses: text(
                "SELECT secret, last_used FROM client_registry.secrets \
                 WHERE client_id = $1 AND last_used IS NOT NULL AND {primary}",
            ),
            // Locked in order, so that two that note the same secrets do not wait for each other.
            note_uses: text(&NOTE_USES.replace("{held}", "SKIP LOCKED")),
            note_held_uses: text(&NOTE_USES.replace("{held}", "")),
        }
    }
}

/// Notes uses, and returns those that it passed over because another transaction holds their rows. Waiting for them would keep the
/// rows that are locked already from other clients.
const NOTE_USES: &str = "
WITH used AS (
    SELECT u.client_id, u.secret, max(u.at) AS at
    FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS u(client_id, secret, at)
    GROUP BY u.client_id, u.secret
), due AS (
    SELECT s.client_id, s.secret, u.at
    FROM client_registry.secrets s JOIN used u ON u.client_id = s.client_id AND u.secret = s.secret
    WHERE s.last_used IS NULL OR s.last_used < u.at OR s.last_used > $4
), later AS (
    SELECT s.client_id, s.secret, u.at
    FROM client_registry.secrets s JOIN used u ON u.client_id = s.client_id AND u.secret = s.secret
    WHERE s.last_used IS NULL OR s.last_used < u.at OR s.last_used > $4
    ORDER BY s.client_id, s.secret FOR UPDATE OF s {held}
), noted AS (
    UPDATE client_registry.secrets s SET last_used = l.at FROM later l
    WHERE s.client_id = l.client_id AND s.secret = l.secret AND {durable}
)
SELECT d.client_id, d.secret, d.at FROM due d
WHERE NOT EXISTS (SELECT FROM later l WHERE l.client_id = d.client_id AND l.secret = d.secret)";
