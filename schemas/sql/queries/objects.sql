-- Objects, the images they hold, and what stands beside them.

-- name: note
-- One more check for each object of a collection; what belongs to no collection is left out. First objects by key,
-- then work by subject, as everything that locks many of them, so that nobody deadlocks. A hint during a claim is
-- later than the claim (clock_timestamp), which is how `fail` knows of it. What is known stays in its collection until
-- ingest answers, which moves it with its record (see `link`). Index: the primary key of collection_sources; objects (bucket, key).
WITH hinted AS (
    SELECT DISTINCT ON (e.bucket, e.key COLLATE "C") e.bucket, e.key, e.event_id, source.collection
    FROM unnest(%(buckets)s::text[], %(keys)s::text[], %(events)s::text[]) AS e (bucket, key, event_id)
    CROSS JOIN LATERAL (
        SELECT s.collection, s.suffixes FROM collection_sources s
        WHERE s.bucket = e.bucket AND starts_with(e.key, s.prefix)
        ORDER BY length(s.prefix) DESC LIMIT 1
    ) AS source
    WHERE cardinality(source.suffixes) = 0
       OR EXISTS (SELECT FROM unnest(source.suffixes) AS x (suffix) WHERE lower(e.key) LIKE '%%' || x.suffix)
    ORDER BY e.bucket, e.key COLLATE "C", e.event_id  -- as objects are ordered, whatever the database's collation
), noted AS (
    INSERT INTO objects AS o (collection, bucket, key, event_id)
    SELECT collection, bucket, key, event_id FROM hinted
    ON CONFLICT (bucket, key) DO UPDATE
        SET checks = o.checks + 1, seen_at = now(), event_id = excluded.event_id
    RETURNING o.id
)
INSERT INTO work AS w (stage, subject, priority)
SELECT 'ingest', id, %(priority)s FROM noted ORDER BY id
ON CONFLICT (stage, subject, model) DO UPDATE
    SET state = 'pending', next_attempt_at = clock_timestamp(), priority = least(w.priority, excluded.priority),
        attempts = CASE WHEN w.claimed_by IS NULL THEN 0 ELSE w.attempts END
RETURNING w.subject;

-- name: by_ids
-- Where the source belongs to another collection by now, nothing is known of what was there (no etag): it is read and
-- linked again. Index: the primary keys.
SELECT o.id, o.bucket, o.key, o.version, o.collection, o.checks,
       CASE WHEN source.collection <> o.collection THEN '' ELSE o.etag END, o.modified_at, o.image, o.state,
       coalesce(w.priority, 0)
FROM objects o LEFT JOIN work w ON w.stage = 'ingest' AND w.subject = o.id AND w.model = 0
LEFT JOIN LATERAL (
    SELECT s.collection FROM collection_sources s
    WHERE s.bucket = o.bucket AND starts_with(o.key, s.prefix) ORDER BY length(s.prefix) DESC LIMIT 1
) AS source ON true
WHERE o.id = ANY (%(ids)s) ORDER BY o.id;

-- name: known_images
-- Which of these contents are known. Index: images (sha256).
SELECT sha256, id FROM images WHERE sha256 = ANY (%(digests)s);

-- name: add_images
-- New content, sorted so that two workers with the same content cannot deadlock. Index: images (sha256).
INSERT INTO images (sha256, bytes, format, width, height, frames, phash, colours, notes)
SELECT sha256, bytes, format, width, height, frames, phash, colours, CASE WHEN notes = '' THEN '{}' ELSE string_to_array(notes, chr(10)) END
FROM (SELECT DISTINCT ON (sha256) * FROM unnest(%(digests)s::text[], %(bytes)s::bigint[], %(formats)s::text[],
        %(widths)s::int[], %(heights)s::int[], %(frames)s::int[], %(hashes)s::bigint[], %(colours)s::jsonb[],
        %(notes)s::text[]) AS i (sha256, bytes, format, width, height, frames, phash, colours, notes)
      ORDER BY sha256) AS new
ON CONFLICT (sha256) DO NOTHING;

-- name: link
-- Say what the objects hold, and in which collection, where no later hint came meanwhile; gives the ids, and the images
-- they held before with the collections that these were in: a source may have been given to another. Content is known
-- that has a record already, or came with another object just now.
-- Index: the primary key, images (sha256), records (image, collection).
WITH answer AS (
    SELECT * FROM unnest(%(ids)s::bigint[], %(checks)s::bigint[], %(digests)s::text[], %(etags)s::text[],
        %(sizes)s::bigint[], %(versions)s::text[], %(metadata)s::jsonb[], %(modified)s::timestamptz[])
        AS a (id, checks, sha256, etag, size, version, metadata, modified_at)
), before AS (
    SELECT o.id, o.image, o.collection, coalesce(source.collection, o.collection) AS owner
    FROM objects o JOIN answer a ON a.id = o.id AND a.checks = o.checks
    LEFT JOIN LATERAL (
        SELECT s.collection FROM collection_sources s
        WHERE s.bucket = o.bucket AND starts_with(o.key, s.prefix) ORDER BY length(s.prefix) DESC LIMIT 1
    ) AS source ON true
    ORDER BY o.bucket, o.key FOR UPDATE OF o
), judged AS (
    SELECT b.id, b.image AS held, b.collection AS was, b.owner, i.id AS image,
           row_number() OVER (PARTITION BY i.id ORDER BY b.id) > 1
           OR EXISTS (SELECT FROM records r WHERE r.image = i.id) AS known
    FROM before b JOIN answer a ON a.id = b.id JOIN images i ON i.sha256 = a.sha256
)
UPDATE objects o
SET state = 'present', collection = j.owner, image = j.image, known = j.known AND j.held IS DISTINCT FROM j.image,
    etag = a.etag, size = a.size, version = a.version, metadata = a.metadata, modified_at = a.modified_at, checked = a.checks,
    error_code = '', error = ''
FROM answer a JOIN judged j ON j.id = a.id
WHERE o.id = a.id
RETURNING o.id, o.collection, j.image, j.was, j.held;

-- name: settle
-- Say that an object is gone, refused or a sidecar, where no later hint came; gives the image it held before,
-- and the collection that this was in. Index: the primary keys.
WITH before AS (
    SELECT o.id, o.image, o.collection, coalesce(source.collection, o.collection) AS owner
    FROM objects o
    LEFT JOIN LATERAL (
        SELECT s.collection FROM collection_sources s
        WHERE s.bucket = o.bucket AND starts_with(o.key, s.prefix) ORDER BY length(s.prefix) DESC LIMIT 1
    ) AS source ON true
    WHERE o.id = %(id)s AND o.checks = %(checks)s FOR UPDATE OF o
)
UPDATE objects o
SET state = %(state)s, collection = b.owner, image = NULL, checked = %(checks)s, etag = %(etag)s, size = %(size)s,
    modified_at = %(modified)s, error_code = %(code)s,
    error = %(error)s
FROM before b WHERE o.id = b.id
RETURNING o.id, b.collection, b.image, o.bucket, o.key;

-- name: unchanged
-- The store holds what it held at the last look, where no later hint came. Index: the primary key.
WITH same AS (
    SELECT o.id FROM unnest(%(ids)s::bigint[], %(checks)s::bigint[]) AS a (id, checks)
    JOIN objects o ON o.id = a.id AND o.checks = a.checks ORDER BY o.bucket, o.key FOR UPDATE OF o
)
UPDATE objects o SET checked = o.checks FROM same WHERE o.id = same.id;

-- name: end_ingest
-- The work is done where the checks did not move on; else it is ready again. Index: the primary keys.
WITH still AS MATERIALIZED (
    SELECT o.id, o.checks = a.checks AS done
    FROM unnest(%(ids)s::bigint[], %(checks)s::bigint[]) AS a (id, checks)
    JOIN objects o ON o.id = a.id
    JOIN work x ON x.stage = 'ingest' AND x.subject = o.id AND x.model = 0
    ORDER BY o.id FOR UPDATE OF x
), ended AS (
    DELETE FROM work w USING still s
    WHERE s.done AND w.stage = 'ingest' AND w.subject = s.id AND w.model = 0
)
UPDATE work w SET claimed_by = NULL, claimed_at = NULL, next_attempt_at = now()
FROM still s WHERE NOT s.done AND w.stage = 'ingest' AND w.subject = s.id AND w.model = 0
RETURNING w.subject;

-- name: add_records
-- A record for each (collection, image), with the plan in force; an old one is merged again. A new one of whose image
-- something is to be said waits ten seconds for it (`touch_said`), before it is published without.
-- Index: records (image, collection), plans_newest, work_subject.
INSERT INTO records AS r (collection, image, plan, dirty_at)
SELECT pair.collection, pair.image, plan.version,
       CASE WHEN EXISTS (SELECT FROM work w WHERE w.subject = pair.image AND w.stage <> 'ingest' AND w.state = 'pending')
       THEN now() + interval '10 seconds' ELSE now() END
FROM (SELECT DISTINCT collection, image FROM unnest(%(collections)s::int[], %(images)s::bigint[])
      AS p (collection, image) ORDER BY image, collection) AS pair
CROSS JOIN LATERAL (
    SELECT version FROM plans WHERE plans.collection = pair.collection ORDER BY version DESC LIMIT 1) AS plan
ON CONFLICT (image, collection) DO UPDATE SET dirty = r.dirty + 1, dirty_at = now()
RETURNING r.id;

-- name: touch_records
-- Reasons to merge for records of (collection, image). Index: records (image, collection).
UPDATE records r SET dirty = r.dirty + 1, dirty_at = now()
FROM (SELECT x.id FROM records x
      JOIN unnest(%(collections)s::int[], %(images)s::bigint[]) AS p (collection, image)
        ON x.image = p.image AND x.collection = p.collection
      ORDER BY x.image, x.collection FOR UPDATE OF x) AS locked
WHERE r.id = locked.id;

-- name: backfill_page
-- The next live records, of a collection or of all, and whether an object of each lies in a place: so a transaction looks
-- at no more records than a page, however few of them lie there. Index: the primary key of records, objects_image.
SELECT r.id, r.image, r.collection,
       %(bucket)s = '' OR EXISTS (
           SELECT FROM objects o
           WHERE o.image = r.image AND o.collection = r.collection AND o.state = 'present'
             AND o.bucket = %(bucket)s AND starts_with(o.key, %(prefix)s))
FROM records r JOIN collections c ON c.id = r.collection
WHERE r.live AND (%(collection)s = '' OR c.name = %(collection)s) AND r.id > %(after)s ORDER BY r.id LIMIT %(limit)s;

-- name: backfill_records
-- The same of certain records. Index: the primary key of records, objects_image.
SELECT r.id, r.image, r.collection,
       %(bucket)s = '' OR EXISTS (
           SELECT FROM objects o
           WHERE o.image = r.image AND o.collection = r.collection AND o.state = 'present'
             AND o.bucket = %(bucket)s AND starts_with(o.key, %(prefix)s))
FROM records r JOIN collections c ON c.id = r.collection
WHERE r.live AND (%(collection)s = '' OR c.name = %(collection)s) AND r.id = ANY (%(records)s) ORDER BY r.id;

-- name: plan_work
-- Work for every model of the plan that has not spoken of the image yet. What waits already is done earlier when
-- somebody wants it now, or when it waited for an object to come back. Who works on it already may have found no object:
-- as with a hint, `fail` sees that this was later than the claim. What needs another stage is held until that one has
-- ended. Index: results' and work's primary keys.
INSERT INTO work AS w (stage, subject, model, priority, held)
SELECT m.stage, pair.image, m.id, min(pair.priority),
       bool_or(EXISTS (
           SELECT FROM unnest(%(holding)s::text[], %(needed)s::text[]) AS n (stage, need)
           JOIN models x ON x.stage = n.need AND x.id = ANY (plan.models)
           WHERE n.stage = m.stage
             AND NOT EXISTS (SELECT FROM results r WHERE r.image = pair.image AND r.model = x.id)
             AND NOT EXISTS (SELECT FROM work y WHERE y.stage = x.stage AND y.subject = pair.image AND y.model = x.id
                                                  AND y.state <> 'pending')))
FROM unnest(%(collections)s::int[], %(images)s::bigint[], %(priorities)s::smallint[])
     AS pair (collection, image, priority)
CROSS JOIN LATERAL (
    SELECT models FROM plans WHERE plans.collection = pair.collection ORDER BY version DESC LIMIT 1) AS plan
JOIN models m ON m.id = ANY (plan.models) AND (cardinality(%(only)s::int[]) = 0 OR m.id = ANY (%(only)s))
WHERE NOT EXISTS (SELECT FROM results r WHERE r.image = pair.image AND r.model = m.id)
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
ON CONFLICT (stage, subject, model) DO UPDATE
    SET priority = least(w.priority, excluded.priority),
        state = CASE WHEN w.code = 'gone' THEN 'pending' ELSE w.state END,
        attempts = CASE WHEN w.code = 'gone' THEN 0 ELSE w.attempts END,
        next_attempt_at = CASE WHEN w.claimed_by IS NOT NULL THEN clock_timestamp()
                               WHEN w.code = 'gone' THEN now() ELSE w.next_attempt_at END,
        code = CASE WHEN w.code = 'gone' THEN '' ELSE w.code END,
        reason = CASE WHEN w.code = 'gone' THEN '' ELSE w.reason END
    WHERE w.claimed_by IS NOT NULL OR w.priority > excluded.priority OR w.code = 'gone'
RETURNING w.subject, w.claimed_by IS NOT NULL;

-- name: put_sidecars
-- Replace what is known from beside these objects. Index: the primary key.
INSERT INTO sidecars (object, source, tags)
SELECT s.object, s.source, CASE WHEN s.tags = '' THEN '{}' ELSE string_to_array(s.tags, chr(10)) END
FROM unnest(%(objects)s::bigint[], %(sources)s::text[], %(tags)s::text[]) AS s (object, source, tags)
ORDER BY 1, 2
ON CONFLICT (object, source) DO UPDATE SET tags = excluded.tags;

-- name: drop_sidecars
-- What stood beside an object is not known any more. Index: the primary key.
DELETE FROM sidecars WHERE object = ANY (%(objects)s);

-- name: touch_beside
-- A sidecar came or went: merge the records of the objects it belongs to. Index: objects (bucket, key),
-- objects_stem.
UPDATE records r SET dirty = r.dirty + 1, dirty_at = now()
FROM (SELECT x.id FROM objects o JOIN records x ON x.image = o.image AND x.collection = o.collection
      WHERE o.bucket = %(bucket)s
        AND (o.key = %(stem)s OR regexp_replace(o.key, '\.[^./]*$', '') = %(stem)s)
      ORDER BY x.image, x.collection FOR UPDATE OF x) AS locked
WHERE r.id = locked.id;

-- name: current
-- One current object an image, to fetch it again. Index: objects_image.
SELECT DISTINCT ON (i.id) i.id, i.sha256, o.bucket, o.key, o.version
FROM images i JOIN objects o ON o.image = i.id AND o.state = 'present'
WHERE i.id = ANY (%(ids)s) ORDER BY i.id, o.id;

-- name: outcomes
-- What became of objects. Index: objects (bucket, key), records (image, collection), work_subject.
SELECT o.bucket, o.key, r.id, o.state, o.checked < o.checks, o.known, coalesce(r.status, 'pending'),
       coalesce(r.dirty > r.merged OR x.revision > x.indexed, true), o.error_code, o.error,
       coalesce(w.state, ''), coalesce(w.reason, ''), stuck.reason
FROM unnest(%(buckets)s::text[], %(keys)s::text[]) AS p (bucket, key)
JOIN objects o ON o.bucket = p.bucket AND o.key = p.key
LEFT JOIN records r ON r.image = o.image AND r.collection = o.collection
LEFT JOIN index_state x ON x.record = r.id AND x.backend = %(backend)s
LEFT JOIN work w ON w.stage = 'ingest' AND w.subject = o.id AND w.model = 0
LEFT JOIN LATERAL (
    SELECT string_agg(f.stage || ': ' || f.reason, '; ' ORDER BY f.stage) AS reason
    FROM work f WHERE f.subject = o.image AND f.stage <> 'ingest' AND f.state <> 'pending'
    HAVING NOT EXISTS (SELECT FROM work g WHERE g.subject = o.image AND g.stage <> 'ingest' AND g.state = 'pending')
) AS stuck ON true;

-- name: page
-- Objects of a bucket and prefix that should be there, by key; the etag is empty while ingest has not settled it or
-- has failed for good: then there is nothing to compare. Index: objects (bucket, key), work's primary key.
SELECT key, CASE WHEN EXISTS (SELECT FROM work w WHERE w.stage = 'ingest' AND w.subject = o.id AND w.model = 0)
            THEN '' ELSE etag END, size
FROM objects o
WHERE bucket = %(bucket)s AND key > %(after)s AND starts_with(key, %(prefix)s) AND state IN ('present', 'sidecar', 'refused', 'new')
ORDER BY key LIMIT %(limit)s;

-- name: forget_gone
-- Names of objects that went long ago; one that is hinted at meanwhile has a check that was not answered. A full scan.
DELETE FROM objects WHERE state = 'gone' AND checked = checks AND seen_at < now() - %(older)s::interval;

-- name: sources
-- A full scan of a table with a row a bucket or prefix.
SELECT s.bucket, s.prefix, c.name FROM collection_sources s JOIN collections c ON c.id = s.collection
ORDER BY s.bucket, s.prefix;
