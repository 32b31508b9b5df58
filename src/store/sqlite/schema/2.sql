-- Names the states of the file, so that a log says which state it builds on. A row stands for a stretch of commits, the
-- latest one last.
ALTER TABLE feed ADD COLUMN mark BLOB; -- random, the name of the stretch
ALTER TABLE feed ADD COLUMN step INTEGER NOT NULL DEFAULT 0; -- counts the commits of the stretch that wrote no event
ALTER TABLE feed ADD COLUMN position INTEGER NOT NULL DEFAULT 0; -- of the last event before the stretch, 0 without one
ALTER TABLE feed ADD COLUMN commit_id BLOB; -- of that event

UPDATE feed SET
    mark = randomblob(16),
    position = coalesce((SELECT max(position) FROM event), 0),
    commit_id = (SELECT commit_id FROM event ORDER BY position DESC LIMIT 1);

-- For people. Instants are in UTC. No word of it is newer than SQLite 3.38, the first that has `->>`.
DROP VIEW IF EXISTS clients;
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
       (SELECT group_concat(add_in, ' ')
        FROM (SELECT add_in FROM add_in WHERE client_id = record.id ORDER BY add_in)) AS add_ins,
       body ->> '$.suspension.since' AS suspended_since,
       coalesce('operator ' || (body ->> '$.suspension.by.operator'),
                'seller ' || (body ->> '$.suspension.by.seller')) AS suspended_by,
       body ->> '$.attributes' AS attributes
FROM record
WHERE id < '~';

DROP VIEW IF EXISTS trail;
CREATE VIEW trail AS
SELECT position,
       event ->> '$.at' AS at,
       client_id,
       revision,
       CASE WHEN json_type(event, '$.actor.operator') IS NOT NULL THEN 'operator'
            WHEN json_type(event, '$.actor.seller') IS NOT NULL THEN 'seller' END AS role,
       coalesce(event ->> '$.actor.operator', event ->> '$.actor.seller') AS actor,
       event ->> '$.fact.what' AS what,
       event ->> '$.fact' AS fact,
       event ->> '$.signing' AS signing
FROM event;
