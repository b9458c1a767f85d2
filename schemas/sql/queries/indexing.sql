-- What the search index has got of the published records, and what it is to be given.

-- name: to_index
-- Say that the index is behind on these records; one that was behind before keeps its place in the line.
-- changed_at never is the same twice: who read it can tell whether the account was changed since. Index: the primary key.
INSERT INTO index_state AS s (record, backend, revision)
SELECT id, %(backend)s, revision FROM unnest(%(ids)s::bigint[], %(revisions)s::bigint[]) AS p (id, revision) ORDER BY id
ON CONFLICT (record, backend) DO UPDATE SET
    revision = excluded.revision,
    changed_at = CASE WHEN s.revision > s.indexed THEN s.changed_at
                      ELSE greatest(now(), s.changed_at + interval '1 microsecond') END;

-- name: behind
-- Published records that the index has not got yet, longest behind first. Index: index_behind.
SELECT r.document::text, i.phash, s.changed_at
FROM index_state s JOIN records r ON r.id = s.record JOIN images i ON i.id = r.image
WHERE s.backend = %(backend)s AND s.revision > s.indexed AND r.document IS NOT NULL
ORDER BY s.changed_at LIMIT %(limit)s;

-- name: behind_of
-- Of these records, those that the index has not got as they are published. Index: the primary key.
SELECT r.document::text, i.phash, s.changed_at
FROM index_state s JOIN records r ON r.id = s.record JOIN images i ON i.id = r.image
WHERE s.backend = %(backend)s AND s.record = ANY (%(ids)s::bigint[]) AND s.revision > s.indexed
  AND r.document IS NOT NULL
ORDER BY r.id;

-- name: indexed
-- The index has these revisions now, unless it has to be given the record again since they were read: what was written
-- then may have gone to an index that is no more, or had no room for all of it. Index: the primary key.
UPDATE index_state s
SET indexed = CASE WHEN s.changed_at = p.since THEN greatest(s.indexed, p.revision) ELSE s.indexed END
FROM (SELECT * FROM unnest(%(ids)s::bigint[], %(revisions)s::bigint[], %(since)s::timestamptz[]) AS p (id, revision, since)
      ORDER BY id) AS p
WHERE s.record = p.id AND s.backend = %(backend)s
RETURNING s.record;

-- name: adopt
-- Records of which this index was never told, or has to be told again, from oldest to newest. Two scans, on purpose.
INSERT INTO index_state AS s (record, backend, revision)
SELECT r.id, %(backend)s, r.revision
FROM records r LEFT JOIN index_state k ON k.record = r.id AND k.backend = %(backend)s
WHERE r.document IS NOT NULL AND (%(anew)s OR k.record IS NULL OR k.revision < r.revision)
ORDER BY r.id
ON CONFLICT (record, backend) DO UPDATE SET
    revision = greatest(s.revision, excluded.revision),
    changed_at = greatest(now(), s.changed_at + interval '1 microsecond'),
    indexed = CASE WHEN %(anew)s THEN 0 ELSE s.indexed END;

-- name: again
-- The index is behind on these, whatever it was thought to have. Index: the primary key.
INSERT INTO index_state AS s (record, backend, revision)
SELECT r.id, %(backend)s, r.revision FROM records r
WHERE r.id = ANY (%(ids)s::bigint[]) AND r.document IS NOT NULL ORDER BY r.id
ON CONFLICT (record, backend) DO UPDATE SET
    revision = greatest(s.revision, excluded.revision),
    changed_at = greatest(now(), s.changed_at + interval '1 microsecond'), indexed = 0;

-- name: documents_after
-- Published records, a page at a time. Indexes: both primary keys.
SELECT r.document::text, i.phash
FROM records r JOIN images i ON i.id = r.image
WHERE r.id > %(after)s AND r.document IS NOT NULL ORDER BY r.id LIMIT %(limit)s;

-- name: due
-- What the index should hold, a page at a time, and whether it is known to wait for it. Indexes: both primary keys.
SELECT r.id, r.revision, r.live, coalesce(s.revision > s.indexed, false)
FROM records r LEFT JOIN index_state s ON s.record = r.id AND s.backend = %(backend)s
WHERE r.id > %(after)s AND (%(last)s::bigint IS NULL OR r.id <= %(last)s) AND r.document IS NOT NULL
ORDER BY r.id LIMIT %(limit)s;

-- name: lag
-- How many documents wait, and for how many seconds the first of them has. Index: index_behind.
SELECT count(*), coalesce(extract(epoch FROM now() - min(changed_at)), 0)::float8
FROM index_state WHERE backend = %(backend)s AND revision > indexed;

-- name: vectors
-- Every embedder's vectors of images. Index: the primary key of embeddings.
SELECT image, model, vector FROM embeddings WHERE image = ANY (%(images)s::bigint[]) ORDER BY image, model;

-- name: spaces
-- Models that said vectors, and how wide they are. Index: embeddings_model, one probe a model.
SELECT m.id, cardinality(e.vector)
FROM models m CROSS JOIN LATERAL (SELECT vector FROM embeddings WHERE model = m.id LIMIT 1) AS e ORDER BY m.id;
