-- Collections, plans and versioned rules.

-- name: latest
-- The version of each kind that is in force. Index: the primary key.
SELECT DISTINCT ON (kind) kind, version, document FROM rules ORDER BY kind, version DESC;

-- name: versions
-- The number of each kind's version in force. Index: the primary key.
SELECT kind, max(version) FROM rules GROUP BY kind;

-- name: add_version
-- The next version of a kind. Index: the primary key; a race is a unique violation.
INSERT INTO rules (kind, version, document, created_by)
SELECT %(kind)s, coalesce(max(version), 0) + 1, %(document)s, %(by)s FROM rules WHERE kind = %(kind)s
RETURNING version;

-- name: ensure_collection
-- Index: collections (name).
INSERT INTO collections AS c (name, hold) VALUES (%(name)s, %(hold)s)
ON CONFLICT (name) DO UPDATE SET hold = excluded.hold
RETURNING c.id;

-- name: ensure_source
-- Index: the primary key.
INSERT INTO collection_sources (bucket, prefix, collection, suffixes)
VALUES (%(bucket)s, %(prefix)s, %(collection)s, %(suffixes)s)
ON CONFLICT (bucket, prefix) DO UPDATE SET collection = excluded.collection, suffixes = excluded.suffixes;

-- name: plan
-- The plan in force. Index: plans_newest.
SELECT version, models FROM plans WHERE collection = %(collection)s ORDER BY version DESC LIMIT 1;

-- name: add_plan
-- Index: none needed.
INSERT INTO plans (collection, models) VALUES (%(collection)s, %(models)s) RETURNING version;

-- name: collections
-- A full scan of a table with a row a collection.
SELECT id, name, hold FROM collections ORDER BY name;

-- name: take_time
-- No index: a setting of the transaction.
-- What touches every record may take longer than other statements.
SET LOCAL statement_timeout = 0;
