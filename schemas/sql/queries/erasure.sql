-- Forgetting a content for good: its objects, its image with what was said of it, its records. The audit stays.

-- name: content
-- What a record is of. Index: the primary keys of records and images.
SELECT i.id, i.sha256, i.bytes FROM records r JOIN images i ON i.id = r.image WHERE r.id = %(record)s;

-- name: records
-- Every collection's record of the content. Index: records (image, collection).
SELECT id FROM records WHERE image = %(image)s ORDER BY id;

-- name: places
-- Where the content lies, as far as is known. Index: objects_image.
SELECT bucket, key FROM objects WHERE image = %(image)s ORDER BY bucket, key;

-- name: beside
-- Tag files that stand beside objects of the content, and beside no other image. Index: objects_image, objects (bucket, key),
-- objects_stem.
SELECT DISTINCT x.bucket, x.key
FROM objects o
JOIN objects x ON x.bucket = o.bucket AND x.state = 'sidecar'
    AND x.key IN (o.key || '.txt', regexp_replace(o.key, '\.[^./]*$', '') || '.txt')
WHERE o.image = %(image)s AND NOT EXISTS (
    SELECT FROM objects other
    WHERE other.bucket = x.bucket AND other.image <> o.image
      AND (other.key = regexp_replace(x.key, '\.txt$', '')
           OR regexp_replace(other.key, '\.[^./]*$', '') = regexp_replace(x.key, '\.txt$', '')))
ORDER BY 1, 2;

-- name: lock_objects
-- Rows of the content, and of the places that were emptied where nothing else is known to lie by now, in the order that
-- everybody keeps. Index: objects_image, objects (bucket, key).
SELECT o.id FROM objects o
WHERE o.image = %(image)s
   OR (o.state IN ('gone', 'sidecar')
       AND (o.bucket, o.key) IN (SELECT * FROM unnest(%(buckets)s::text[], %(keys)s::text[]) AS p (bucket, key)))
ORDER BY o.bucket, o.key FOR UPDATE;

-- name: lock_image
-- Whoever stores results of it waits for this lock, and then finds that it is gone. Index: the primary key.
SELECT id FROM images WHERE id = %(image)s FOR UPDATE;

-- name: drop_work
-- Nothing of it is to be done any more, nor found out about its places. Index: the primary key, work_subject.
DELETE FROM work w
USING (SELECT x.stage, x.subject, x.model FROM work x
       WHERE (x.stage = 'ingest' AND x.subject = ANY (%(objects)s::bigint[]))
          OR (x.stage <> 'ingest' AND x.subject = %(image)s)
       ORDER BY x.stage, x.subject, x.model FOR UPDATE) AS locked
WHERE w.stage = locked.stage AND w.subject = locked.subject AND w.model = locked.model;

-- name: drop_records
-- With edits, standing flags and review items, which cascade. Index: records (image, collection).
DELETE FROM records r
USING (SELECT id FROM records WHERE image = %(image)s ORDER BY image, collection FOR UPDATE) AS locked
WHERE r.id = locked.id RETURNING r.id;

-- name: drop_objects
-- With what stood beside them, which cascades. Index: the primary key.
DELETE FROM objects WHERE id = ANY (%(objects)s::bigint[]);

-- name: drop_image
-- With results and vectors, which cascade. Index: the primary keys of images, results and embeddings.
WITH said AS (SELECT count(*) AS results FROM results WHERE image = %(image)s)
DELETE FROM images i USING said WHERE i.id = %(image)s RETURNING said.results;

-- name: erased_now
-- The index is to forget them again, whatever becomes of this process. Index: the primary key.
INSERT INTO erased_records (record) SELECT unnest(%(records)s::bigint[]) ON CONFLICT DO NOTHING;

-- name: erased
-- Records that were erased of late, and whether that was longer ago than `older`. A scan, on purpose: it is nearly always empty.
SELECT record, at < now() - %(older)s::interval FROM erased_records ORDER BY record;

-- name: let_go
-- Index: the primary key.
DELETE FROM erased_records WHERE record = ANY (%(records)s::bigint[]);

-- name: tell
-- The audit says when a record was erased. No index: rows are added.
INSERT INTO review_events (record, actor, action)
SELECT record, '', 'erased' FROM unnest(%(records)s::bigint[]) AS e (record);
