-- What is alike. The columns of a hit follow a score and an empty one, as in search.sql.

-- name: alike_tags
-- Cosine of TF-IDF vectors over tags. Candidates share one of the rarest tags, as many as have few enough documents.
-- Indexes: primary key of search_document, search_document_terms, primary key of search_count.
WITH me AS (
    SELECT d.terms[:cardinality(d.confidences)] AS tags FROM search_document d
    WHERE d.record = %(record)s AND NOT d.deleted
), known AS (
    SELECT greatest(1, coalesce(sum(c.live), 0))::float8 AS documents
    FROM search_term t JOIN search_count c ON c.term = t.id WHERE t.field = 'status'
), rare AS (
    SELECT array_agg(term) AS terms
    FROM (SELECT c.term, sum(sum(c.live)) OVER (ORDER BY sum(c.live), c.term) AS reach,
                 row_number() OVER (ORDER BY sum(c.live), c.term) AS place
          FROM me, search_count c WHERE c.term = ANY (me.tags) GROUP BY c.term) AS ranked
    WHERE place = 1 OR reach <= %(candidates)s
), candidate AS MATERIALIZED (
    SELECT d.record, d.terms[:cardinality(d.confidences)] AS tags
    FROM rare, search_document d
    WHERE d.terms && rare.terms AND NOT d.deleted AND d.record <> %(record)s
      AND (%(held)s OR d.shown)
      AND (%(collections)s::text[] IS NULL OR d.collection IN (
          SELECT id FROM search_term WHERE field = 'collection' AND name = ANY (%(collections)s)))
    LIMIT %(candidates)s
), weight AS MATERIALIZED (
    SELECT c.term, ln(1 + known.documents / greatest(1, sum(c.live))) ^ 2 AS square
    FROM known, search_count c
    WHERE c.term IN (SELECT unnest(tags) FROM candidate UNION SELECT unnest(tags) FROM me)
    GROUP BY c.term, known.documents
), mine AS (
    SELECT sum(w.square) AS square FROM me, weight w WHERE w.term = ANY (me.tags)
), scored AS (
    SELECT c.record, sum(w.square) FILTER (WHERE w.term = ANY (me.tags)) / sqrt(mine.square * sum(w.square)) AS score
    FROM me, mine, candidate c CROSS JOIN LATERAL unnest(c.tags) AS has (term) JOIN weight w ON w.term = has.term
    GROUP BY c.record, mine.square
)
SELECT scored.score, NULL, d.record, o.name, d.sha256, d.width, d.height, d.format, d.rating, d.status, d.visibility,
    d.created_at, d.terms[:cardinality(d.confidences)], d.confidences
FROM scored JOIN search_document d USING (record) JOIN search_term o ON o.id = d.collection
WHERE scored.score > 0
ORDER BY scored.score DESC, d.record LIMIT %(limit)s;

-- name: alike_look
-- Near duplicates by perceptual hash: candidates share one of four parts of 16 bits. Indexes: images_phash_1 to _4,
-- records (image, collection), primary key of search_document.
WITH me AS (
    SELECT i.id, i.phash FROM records r JOIN images i ON i.id = r.image WHERE r.id = %(record)s
), candidate AS (
    SELECT i.id, i.phash FROM me JOIN images i ON i.phash & 65535 = me.phash & 65535
    UNION SELECT i.id, i.phash FROM me JOIN images i ON (i.phash >> 16) & 65535 = (me.phash >> 16) & 65535
    UNION SELECT i.id, i.phash FROM me JOIN images i ON (i.phash >> 32) & 65535 = (me.phash >> 32) & 65535
    UNION SELECT i.id, i.phash FROM me JOIN images i ON (i.phash >> 48) & 65535 = (me.phash >> 48) & 65535
), close AS (
    SELECT c.id, bit_count((c.phash # me.phash)::bit(64)) AS bits FROM candidate c, me WHERE c.id <> me.id
)
SELECT 1 - close.bits / 64.0::float8, NULL, d.record, o.name, d.sha256, d.width, d.height, d.format, d.rating, d.status,
    d.visibility, d.created_at, d.terms[:cardinality(d.confidences)], d.confidences
FROM close
JOIN records r ON r.image = close.id
JOIN search_document d ON d.record = r.id
JOIN search_term o ON o.id = d.collection
WHERE close.bits <= %(bits)s AND NOT d.deleted AND (%(held)s OR d.shown)
  AND (%(collections)s::text[] IS NULL OR o.name = ANY (%(collections)s))
ORDER BY close.bits, d.record LIMIT %(limit)s;

-- name: vector_of
-- The newest embedder's vector of a record's image, a sample's only where there is no other. Index: primary keys of
-- records, embeddings and models.
SELECT e.model, e.vector FROM records r JOIN embeddings e ON e.image = r.image JOIN models m ON m.id = e.model
WHERE r.id = %(record)s ORDER BY m.sample, e.model DESC LIMIT 1;

-- name: space_of
-- A model's revision by name. Index: models (name, revision).
SELECT id FROM models WHERE name = %(model)s AND revision = %(revision)s;

-- name: alike_vector
-- The nearest vectors of a space that the viewer may see. Index: embeddings_space_N, through nafuda_nearest; then
-- records (image, collection) and the primary key of search_document.
SELECT near.cosine, NULL, d.record, o.name, d.sha256, d.width, d.height, d.format, d.rating, d.status, d.visibility,
    d.created_at, d.terms[:cardinality(d.confidences)], d.confidences
FROM nafuda_nearest(%(space)s, %(vector)s::real[], %(reach)s) AS near
JOIN records r ON r.image = near.image
JOIN search_document d ON d.record = r.id
JOIN search_term o ON o.id = d.collection
WHERE d.record <> %(record)s AND NOT d.deleted AND (%(held)s OR d.shown)
  AND (%(collections)s::text[] IS NULL OR o.name = ANY (%(collections)s))
ORDER BY near.cosine DESC, d.record LIMIT %(limit)s;

-- name: has_vectors
-- Whether pgvector is there, and whether it could be. Full scans of tables with a row an extension.
SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'vector'),
       EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector');

-- name: add_vectors
-- No index: an extension.
CREATE EXTENSION IF NOT EXISTS vector;

-- name: take_time
-- Making an index over vectors that are there takes minutes: no time-out for the rest of this transaction.
SELECT set_config('statement_timeout', '0', true), set_config('lock_timeout', '0', true);

-- name: open_space
-- Makes the index of a space; locks the table's writers out meanwhile, so it is done before there are vectors.
SELECT nafuda_open_space(%(space)s, %(width)s);
