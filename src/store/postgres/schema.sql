-- Schema of client-registry, version 1. Running it again changes nothing.
CREATE SCHEMA IF NOT EXISTS client_registry;

-- Which version this is, and which database: cursors of another one are not known here. Updating the row makes every
-- cursor unknown, since where it was written (its xmin) is a part of them.
CREATE TABLE IF NOT EXISTS client_registry.meta (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    version integer NOT NULL,
    store_id uuid NOT NULL
);

-- Clients, what is left of deleted ones, and the record of the registry itself. `body` is JSON in UTF-8, kept as exactly
-- its bytes. `places` is a digest of the client's rows in `entries`, `ends` what its rows in `secrets` say: by them a commit
-- knows which rows it need not look at.
CREATE TABLE IF NOT EXISTS client_registry.records (
    id text COLLATE "C" PRIMARY KEY,
    revision bigint NOT NULL,
    key_id text COLLATE "C" NOT NULL,
    format integer NOT NULL,
    registry_id bytea NOT NULL,
    body bytea NOT NULL,
    sealed bytea NOT NULL,
    seller text COLLATE "C",
    places bytea NOT NULL,
    ends jsonb NOT NULL
);
CREATE INDEX IF NOT EXISTS records_by_seller ON client_registry.records (seller, id) WHERE seller IS NOT NULL;
CREATE INDEX IF NOT EXISTS records_by_key ON client_registry.records (key_id, id);

-- What belongs to one client alone: the key of a friendly name under its seller, an add-in under the empty scope.
CREATE TABLE IF NOT EXISTS client_registry.entries (
    scope text COLLATE "C" NOT NULL,
    key bytea NOT NULL,
    client_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (scope, key)
);
CREATE INDEX IF NOT EXISTS entries_by_client ON client_registry.entries (client_id);

-- The secrets that clients have: when they end and when they were last used, in milliseconds since 1970.
CREATE TABLE IF NOT EXISTS client_registry.secrets (
    client_id text COLLATE "C" NOT NULL,
    secret bigint NOT NULL,
    ends bigint,
    last_used bigint,
    PRIMARY KEY (client_id, secret)
);
CREATE INDEX IF NOT EXISTS secrets_by_end ON client_registry.secrets (ends, client_id, secret) WHERE ends IS NOT NULL;

-- The audit trail: what each commit did to a client, as a JSON array in UTF-8. Only ever added to.
CREATE TABLE IF NOT EXISTS client_registry.history (
    client_id text COLLATE "C" NOT NULL,
    revision bigint NOT NULL,
    commit_id bytea NOT NULL,
    events bytea NOT NULL,
    PRIMARY KEY (client_id, revision)
);

-- What no reader of the change feed has numbered yet, and what has a place in it. `mark` is random for each numbering:
-- who knows it at a position has seen what stands here before it.
CREATE TABLE IF NOT EXISTS client_registry.pending (
    client_id text COLLATE "C" NOT NULL,
    revision bigint NOT NULL,
    PRIMARY KEY (client_id, revision)
);
CREATE TABLE IF NOT EXISTS client_registry.feed (
    position bigint PRIMARY KEY,
    client_id text COLLATE "C" NOT NULL,
    revision bigint NOT NULL,
    mark uuid NOT NULL
);
CREATE TABLE IF NOT EXISTS client_registry.feed_end (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    position bigint NOT NULL
);

INSERT INTO client_registry.feed_end (position) VALUES (0) ON CONFLICT DO NOTHING;
INSERT INTO client_registry.meta (version, store_id) VALUES (1, gen_random_uuid()) ON CONFLICT DO NOTHING;
