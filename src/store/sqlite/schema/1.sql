-- The latest state of each client, and of the registry itself under '~registry'.
CREATE TABLE record (
    number      INTEGER PRIMARY KEY,
    id          TEXT    NOT NULL UNIQUE, -- the client ID
    revision    INTEGER NOT NULL,        -- counts the commits that changed it
    seller      TEXT,                    -- by what it is found; nothing for a deleted client
    name_key    TEXT,
    key_id      TEXT    NOT NULL,        -- the key that protects it
    format      INTEGER NOT NULL,
    registry_id BLOB    NOT NULL,
    body        TEXT    NOT NULL,        -- JSON, authenticated with the sealed part: exactly these bytes
    sealed      BLOB    NOT NULL         -- what recognises and signs for the secrets, encrypted
) STRICT;

CREATE UNIQUE INDEX record_by_name ON record (seller, name_key) WHERE seller IS NOT NULL;
CREATE INDEX record_by_seller ON record (seller, id) WHERE seller IS NOT NULL;
CREATE INDEX record_by_key ON record (key_id, id);

-- The client that an add-in belongs to.
CREATE TABLE add_in (
    add_in    TEXT NOT NULL PRIMARY KEY,
    client_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX add_in_by_client ON add_in (client_id);

-- The secrets of a client that have not been deleted.
CREATE TABLE secret (
    client_id TEXT    NOT NULL,
    secret    INTEGER NOT NULL, -- its number within the client
    until     INTEGER,          -- the end of its validity, in milliseconds since 1970
    last_used INTEGER,          -- in milliseconds since 1970
    PRIMARY KEY (client_id, secret)
) STRICT, WITHOUT ROWID;

CREATE INDEX secret_by_end ON secret (until, client_id, secret) WHERE until IS NOT NULL;

-- What happened, in the order of the commits: the trails of all clients, and the feed.
CREATE TABLE event (
    position  INTEGER PRIMARY KEY,
    client_id TEXT    NOT NULL,
    revision  INTEGER NOT NULL, -- that its commit made
    commit_id BLOB    NOT NULL,
    event     TEXT    NOT NULL  -- JSON, which the next event of the client holds the hash of: exactly these bytes
) STRICT;

CREATE INDEX event_by_client ON event (client_id, revision);

-- Tells the cursors of this feed from those of another.
CREATE TABLE feed (feed_id BLOB NOT NULL) STRICT;
INSERT INTO feed VALUES (randomblob(16));

-- For people. Instants are in UTC.
CREATE VIEW clients AS
SELECT id AS client_id,
       body ->> '$.state' AS state,
       body ->> '$.owner' AS seller,
       body ->> '$.details.friendly_name' AS friendly_name,
       body ->> '$.details.app_domain' AS app_domain,
       body ->> '$.details.redirect_url' AS redirect_url,
       body ->> '$.availability' AS availability,
       body ->> '$.registered_at' AS registered_at,
       body ->> '$.changed_at' AS changed_at,
       revision,
       key_id,
       (SELECT group_concat(add_in, ' ' ORDER BY add_in) FROM add_in WHERE client_id = record.id) AS add_ins
FROM record
WHERE id < '~';

CREATE VIEW secrets AS
SELECT record.id AS client_id,
       body ->> '$.details.friendly_name' AS friendly_name,
       one.value ->> '$.id' AS secret,
       one.value ->> '$.label' AS label,
       one.value ->> '$.purpose' AS purpose,
       one.value ->> '$.validity.from' AS valid_from,
       one.value ->> '$.validity.until' AS valid_until,
       one.value ->> '$.added_at' AS added_at,
       one.value ->> '$.origin' AS origin,
       one.value ->> '$.hint' AS hint,
       one.value ->> '$.disabled_since' AS disabled_since,
       one.value ->> '$.replaced_by' AS replaced_by,
       strftime('%Y-%m-%dT%H:%M:%fZ', secret.last_used / 1000.0, 'unixepoch') AS last_used
FROM record
JOIN json_each(record.body, '$.secrets') AS one
LEFT JOIN secret ON secret.client_id = record.id AND secret.secret = one.value ->> '$.id'
WHERE record.id < '~';

CREATE VIEW trail AS
SELECT position,
       event ->> '$.at' AS at,
       client_id,
       revision,
       coalesce(event ->> '$.actor.seller', event ->> '$.actor.operator') AS actor,
       event ->> '$.fact.what' AS what,
       event ->> '$.fact' AS fact,
       event ->> '$.signing' AS signing
FROM event;
