-- Dead letters: notifications that could not be understood.

-- name: bury
-- Index: none needed.
INSERT INTO dead_letters (source, body, code, reason) VALUES (%(source)s, %(body)s, %(code)s, %(reason)s);

-- name: latest
-- The latest ones first. Index: the primary key.
SELECT id, source, reason, created_at, body FROM dead_letters ORDER BY id DESC LIMIT %(limit)s;

-- name: count
-- A scan of a table that `trim` keeps small.
SELECT count(*) FROM dead_letters;

-- name: next
-- A page of numbers, the oldest first. Index: the primary key.
SELECT id FROM dead_letters WHERE id > %(after)s ORDER BY id LIMIT %(limit)s;

-- name: take
-- One of them, for whoever asks first; others wait for the row's lock and find it gone. Index: the primary key.
SELECT source, body FROM dead_letters WHERE id = %(id)s FOR UPDATE;

-- name: keep
-- It was not understood again. Index: the primary key.
UPDATE dead_letters SET replayed_at = now(), reason = %(reason)s WHERE id = %(id)s;

-- name: remove
-- Index: the primary key.
DELETE FROM dead_letters WHERE id = ANY (%(ids)s) RETURNING id;

-- name: trim
-- Forget those beyond the latest ones, and the old ones. A scan of a table that this keeps small.
DELETE FROM dead_letters
WHERE created_at < now() - %(older)s::interval
   OR id <= (SELECT id FROM dead_letters ORDER BY id DESC OFFSET %(kept)s LIMIT 1);
