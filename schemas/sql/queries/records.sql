-- Records: merged from everything that is known, level-triggered by `dirty`.

-- name: lock_dirty
-- The longest waiting records that have a reason to be merged. Index: records_dirty.
SELECT r.id, r.collection, c.name, c.hold, r.image, r.plan, p.models, r.dirty, r.revision, r.created_at, r.document::text
FROM records r JOIN collections c ON c.id = r.collection JOIN plans p ON p.version = r.plan
WHERE r.dirty > r.merged AND r.dirty_at <= now()
ORDER BY r.dirty_at LIMIT %(limit)s FOR UPDATE OF r SKIP LOCKED;

-- name: lock_these
-- Certain records, to merge them at once. Index: the primary key.
SELECT r.id, r.collection, c.name, c.hold, r.image, r.plan, p.models, r.dirty, r.revision, r.created_at, r.document::text
FROM records r JOIN collections c ON c.id = r.collection JOIN plans p ON p.version = r.plan
WHERE r.id = ANY (%(ids)s) ORDER BY r.image, r.collection FOR UPDATE OF r;

-- name: images
-- Index: the primary key.
SELECT id, sha256, bytes, format, width, height, frames, phash, colours, notes FROM images WHERE id = ANY (%(images)s);

-- name: places
-- Where the images lie now. Index: objects_image.
SELECT o.collection, o.image, o.id, o.bucket, o.key, o.version FROM objects o
WHERE o.image = ANY (%(images)s) AND o.state = 'present' ORDER BY o.id;

-- name: said
-- What the models said of the images. Index: results' primary key.
SELECT image, model, stage, labels, scores, boxes, texts, figures, millis, batch FROM results WHERE image = ANY (%(images)s)
ORDER BY image, model;

-- name: pending
-- What is pending or has failed for the images. Index: work_subject.
SELECT subject, stage, model, state, attempts, reason FROM work
WHERE subject = ANY (%(images)s) AND stage <> 'ingest' ORDER BY subject, stage, model;

-- name: edits
-- The latest word of a person on each tag of the records, oldest first. Index: edits_record.
SELECT record, tag, category, action, person
FROM (SELECT DISTINCT ON (record, tag) * FROM edits WHERE record = ANY (%(records)s) ORDER BY record, tag, id DESC) AS e
ORDER BY record, id;

-- name: beside
-- Tags from beside the objects: their metadata, and .txt objects named like them. Index: sidecars' primary key,
-- objects (bucket, key).
SELECT o.collection, o.image, s.source, s.tags FROM objects o JOIN sidecars s ON s.object = o.id
WHERE o.image = ANY (%(images)s) AND o.state = 'present'
UNION ALL
SELECT o.collection, o.image, s.source, s.tags
FROM objects o
JOIN objects x ON x.bucket = o.bucket
    AND x.key IN (o.key || '.txt', regexp_replace(o.key, '\.[^./]*$', '') || '.txt')
JOIN sidecars s ON s.object = x.id
WHERE o.image = ANY (%(images)s) AND o.state = 'present' AND x.state = 'sidecar'
ORDER BY 2, 3, 4;

-- name: mark_live
-- Which records an object links to. Index: the primary key; only what changed is written.
UPDATE records r SET live = p.live FROM unnest(%(ids)s::bigint[], %(live)s::bool[]) AS p (id, live)
WHERE r.id = p.id AND r.live <> p.live;

-- name: publish
-- The merged record. Index: the primary key.
UPDATE records r
SET merged = p.dirty, revision = p.revision, status = p.status, visibility = p.visibility,
    vocabulary = %(vocabulary)s, thresholds = %(thresholds)s, document = p.document,
    completed_at = CASE WHEN p.status = 'complete' THEN coalesce(r.completed_at, now()) END
FROM jsonb_to_recordset(%(rows)s::jsonb)
     AS p (id bigint, dirty bigint, revision bigint, status text, visibility text, document jsonb)
WHERE r.id = p.id;

-- name: one
-- The published document of a record, and what changes it has to wait for. Index: the primary key.
SELECT r.document::text, r.image, r.revision, r.live, r.dirty > r.merged FROM records r WHERE r.id = %(id)s;

-- name: captions
-- What captioners say of published records, sentence by sentence. Index: the primary key.
SELECT r.id, ARRAY(SELECT said ->> 'text' FROM jsonb_array_elements(r.document -> 'captions') AS said)
FROM records r WHERE r.id = ANY (%(ids)s) AND r.document IS NOT NULL;

-- name: by_digest
-- Index: images (sha256), by prefix in the C collation.
SELECT r.id FROM images i JOIN records r ON r.image = i.id
WHERE i.sha256 >= %(low)s AND i.sha256 < %(high)s ORDER BY r.id LIMIT 3;

-- name: by_key
-- Index: objects (bucket, key) when a bucket is named; else a scan.
SELECT r.id FROM objects o JOIN records r ON r.image = o.image AND r.collection = o.collection
WHERE o.key = %(key)s AND (%(bucket)s = '' OR o.bucket = %(bucket)s) ORDER BY r.id LIMIT 3;

-- name: add_edit
-- A person's word on a tag; the record is merged again. Index: the primary key of records.
WITH said AS (
    INSERT INTO edits (record, tag, category, action, person)
    SELECT id, %(tag)s, %(category)s, %(action)s, %(person)s FROM records WHERE id = %(record)s RETURNING record
)
UPDATE records r SET dirty = r.dirty + 1, dirty_at = now() FROM said WHERE r.id = said.record RETURNING r.id;

-- name: touch_all
-- A rule changed for everything: merge every record again. A full scan, on purpose.
UPDATE records r SET dirty = r.dirty + 1, dirty_at = now()
FROM (SELECT id FROM records ORDER BY image, collection FOR UPDATE) AS locked WHERE r.id = locked.id;

-- name: summary
-- Records by status and visibility. A full scan.
SELECT status, visibility, count(*) FROM records WHERE live GROUP BY 1, 2 ORDER BY 1, 2;

-- name: progress
-- How many objects are settled and searchable, of all. A full scan.
SELECT count(*) FILTER (WHERE o.state IN ('sidecar', 'refused', 'gone') OR r.status = 'complete'),
       count(*) FILTER (WHERE o.state = 'refused'), count(*)
FROM objects o LEFT JOIN records r ON r.image = o.image AND r.collection = o.collection
WHERE NOT (o.state = 'gone') AND o.key NOT LIKE '%%.txt';
