-- The Postgres search index. What a user's query compiles to is in infra/search/postgres/compile.py; all else is here.

-- name: writers_turn
-- Writers take turns: no deadlocks on shared names and counters, no sequence values burnt. Held to commit.
SELECT pg_advisory_xact_lock(%(key)s);

-- name: new_terms
-- Names that the dictionary lacks, numbered after the last one. Indexes: UNIQUE (name, field), primary key.
INSERT INTO search_term (id, field, name)
SELECT (SELECT coalesce(max(id), 0) FROM search_term) + row_number() OVER (), field, name
FROM unnest(%(fields)s::text[], %(names)s::text[]) AS wanted (field, name)
WHERE NOT EXISTS (SELECT FROM search_term t WHERE t.name = wanted.name AND t.field = wanted.field);

-- name: term_ids
-- The numbers of names. Index: UNIQUE (name, field).
SELECT t.field, t.name, t.id
FROM unnest(%(fields)s::text[], %(names)s::text[]) AS wanted (field, name)
JOIN search_term t ON t.name = wanted.name AND t.field = wanted.field;

-- name: write
-- One batch, one statement: documents by revision, and what that changes in the counters. Returns what was
-- written. Indexes: primary keys of search_document and search_count.
WITH incoming AS MATERIALIZED (
    SELECT * FROM unnest(
        %(record)s::bigint[], %(revision)s::bigint[], %(created_at)s::timestamptz[], %(bytes)s::bigint[],
        %(width)s::integer[], %(height)s::integer[], %(collection)s::integer[], %(people)s::smallint[],
        %(deleted)s::boolean[], %(shown)s::boolean[], %(visibility)s::text[], %(status)s::text[],
        %(rating)s::text[], %(format)s::text[], %(sha256)s::text[],
        %(terms)s::text[], %(packed)s::bytea[], %(confidences)s::text[], %(words)s::text[]
    ) AS i (record, revision, created_at, bytes, width, height, collection, people, deleted, shown, visibility,
            status, rating, format, sha256, terms, packed, confidences, words)
), before AS (
    SELECT d.record, d.collection, d.shown, d.terms
    FROM search_document d
    WHERE d.record = ANY (%(record)s) AND NOT d.deleted
), written AS (
    INSERT INTO search_document AS d (
        record, revision, created_at, bytes, width, height, collection, people, deleted, shown, visibility,
        status, rating, format, sha256, terms, packed, confidences, words)
    SELECT record, revision, created_at, bytes, width, height, collection, people, deleted, shown, visibility,
        status, rating, format, sha256, terms::integer[], packed, confidences::smallint[], string_to_array(words, ' ')
    FROM incoming
    ON CONFLICT (record) DO UPDATE SET
        revision = excluded.revision, created_at = excluded.created_at, bytes = excluded.bytes,
        width = excluded.width, height = excluded.height, collection = excluded.collection,
        people = excluded.people, deleted = excluded.deleted, shown = excluded.shown,
        visibility = excluded.visibility, status = excluded.status, rating = excluded.rating,
        format = excluded.format, sha256 = excluded.sha256, terms = excluded.terms, packed = excluded.packed,
        confidences = excluded.confidences, words = excluded.words, written_at = now()
    WHERE d.revision <= excluded.revision
    RETURNING d.record, d.collection, d.deleted, d.shown, d.terms
), change AS (
    SELECT collection, term, sum(live)::integer AS live, sum(shown)::integer AS shown
    FROM (
        SELECT b.collection, unnest(b.terms) AS term, -1 AS live, -(b.shown::integer) AS shown
        FROM before b JOIN written w USING (record)
        UNION ALL
        SELECT w.collection, unnest(w.terms), 1, w.shown::integer FROM written w WHERE NOT w.deleted
    ) AS each
    GROUP BY collection, term
    HAVING sum(live) <> 0 OR sum(shown) <> 0
), raised AS (
    UPDATE search_count c SET live = c.live + change.live, shown = c.shown + change.shown
    FROM change
    WHERE c.collection = change.collection AND c.term = change.term
), begun AS (
    INSERT INTO search_count (collection, term, live, shown)
    SELECT collection, term, live, shown
    FROM change
    WHERE NOT EXISTS (
        SELECT FROM search_count c WHERE c.collection = change.collection AND c.term = change.term)
)
SELECT record FROM written;

-- name: look_up
-- What a query's names stand for, and how many documents have them: live ones, and those the viewer may see.
-- Indexes: UNIQUE (name, field), primary key of search_count.
SELECT t.id, t.field, t.name, sum(c.live)::bigint,
    coalesce(sum(CASE WHEN %(held)s THEN c.live ELSE c.shown END)
        FILTER (WHERE %(collections)s::text[] IS NULL OR o.name = ANY (%(collections)s)), 0)::bigint
FROM search_term t
JOIN search_count c ON c.term = t.id
JOIN search_term o ON o.id = c.collection
WHERE t.name = ANY (%(names)s)
GROUP BY t.id, t.field, t.name
HAVING sum(c.live) > 0;

-- name: wild
-- Tags that fit a pattern and that some live document has. Scans the dictionary, which is small.
SELECT t.id, t.name, sum(c.live)::bigint
FROM search_term t JOIN search_count c ON c.term = t.id
WHERE t.field LIKE 'tag:%%' AND t.name LIKE %(pattern)s
GROUP BY t.id, t.name
HAVING sum(c.live) > 0;

-- name: suggest
-- Tags whose name, or a word in it, begins like this. Scans the dictionary, which is small.
SELECT t.name, substr(t.field, 5),
    sum(CASE WHEN %(held)s THEN c.live ELSE c.shown END)::bigint AS found
FROM search_term t
JOIN search_count c ON c.term = t.id
JOIN search_term o ON o.id = c.collection
WHERE t.field LIKE 'tag:%%'
  AND (t.name LIKE %(start)s OR t.name LIKE %(word)s OR t.name LIKE %(inner)s)
  AND (%(collections)s::text[] IS NULL OR o.name = ANY (%(collections)s))
GROUP BY t.id, t.name, t.field
HAVING sum(CASE WHEN %(held)s THEN c.live ELSE c.shown END) > 0
ORDER BY found DESC, t.name, t.field
LIMIT %(limit)s;

-- name: all_facets
-- Facets of everything that the viewer may see, from the counters: exact, without reading a document.
-- A scan of search_count, which has a row for each collection and term.
SELECT field, name, found
FROM (
    SELECT t.field, t.name, e.found,
        row_number() OVER (PARTITION BY t.field ORDER BY e.found DESC, t.name) AS place
    FROM (
        SELECT c.term, sum(CASE WHEN %(held)s THEN c.live ELSE c.shown END)::bigint AS found
        FROM search_count c
        WHERE %(collections)s::text[] IS NULL OR c.collection IN (
            SELECT id FROM search_term WHERE field = 'collection' AND name = ANY (%(collections)s))
        GROUP BY c.term
    ) AS e
    JOIN search_term t ON t.id = e.term
    WHERE e.found > 0 AND t.field = ANY (%(fields)s)
) AS ranked
WHERE place <= %(size)s
ORDER BY field, place;

-- name: count
-- Live documents: each has exactly one status. Index: primary key of search_count.
SELECT coalesce(sum(c.live), 0)::bigint
FROM search_term t JOIN search_count c ON c.term = t.id
WHERE t.field = 'status';

-- name: purge
-- Forget old tombstones. Index: search_document_tombstones.
DELETE FROM search_document WHERE deleted AND written_at < now() - %(older)s::interval;

-- name: revisions
-- What is held, tombstones too, a page at a time. Index: the primary key.
SELECT record, revision FROM search_document WHERE record > %(after)s ORDER BY record LIMIT %(limit)s;

-- name: forget
-- Remove documents without a tombstone, and what they were counted for. Indexes: both primary keys.
WITH gone AS (
    DELETE FROM search_document WHERE record = ANY (%(records)s::bigint[])
    RETURNING collection, terms, shown, deleted
), change AS (
    SELECT collection, term, count(*)::integer AS live, (count(*) FILTER (WHERE shown))::integer AS shown
    FROM (SELECT collection, unnest(terms) AS term, shown FROM gone WHERE NOT deleted) AS each
    GROUP BY collection, term
)
UPDATE search_count c SET live = c.live - change.live, shown = c.shown - change.shown
FROM change
WHERE c.collection = change.collection AND c.term = change.term;

-- name: truncate
-- No index: whole tables.
-- Forget every document; the dictionary stays, because processes remember its ids.
TRUNCATE search_document, search_count;

-- The queries below have places for compiled parts: {where}, {scope}, {after}, {key}, {direction}, {sample}.

-- name: hits_of_few
-- Few matches: find all of them first, then order; left to itself the planner walks the whole primary key.
-- Indexes: those of {where}, then the primary key.
WITH match AS MATERIALIZED (
    SELECT d.record, d.{key} AS key FROM search_document d WHERE {scope} AND {where}
), page AS (
    SELECT key, record FROM match WHERE {after} ORDER BY key {direction}, record {direction} LIMIT %(limit)s
)
SELECT counted.total, hit.*
FROM (SELECT count(*) AS total FROM match) AS counted
LEFT JOIN (
    SELECT page.key, d.record, o.name, d.sha256, d.width, d.height, d.format, d.rating, d.status, d.visibility,
        d.created_at, d.terms[:cardinality(d.confidences)], d.confidences
    FROM page JOIN search_document d USING (record) JOIN search_term o ON o.id = d.collection
) AS hit ON true
ORDER BY hit.key {direction}, hit.record {direction};

-- name: hits_of_many
-- Many matches: walk in the order of the hits and stop at the page's end, or give up at %(depth)s.
-- Indexes: search_document_created, _bytes, _pixels or the primary key.
SELECT 0, walk.key, walk.record, o.name, walk.sha256, walk.width, walk.height, walk.format, walk.rating,
    walk.status, walk.visibility, walk.created_at, walk.terms[:cardinality(walk.confidences)], walk.confidences
FROM (
    SELECT d.*
    FROM (
        SELECT d.*, d.{key} AS key
        FROM search_document d
        WHERE {scope} AND {after}
        ORDER BY d.{key} {direction}, d.record {direction}
        LIMIT %(depth)s
    ) AS d
    WHERE {where}
    ORDER BY d.key {direction}, d.record {direction}
    LIMIT %(limit)s
) AS walk JOIN search_term o ON o.id = walk.collection
ORDER BY walk.key {direction}, walk.record {direction};

-- name: probe
-- How many match, estimated from random blocks of the table; no index, by intent.
SELECT count(*) FROM search_document d TABLESAMPLE SYSTEM (%(percent)s) REPEATABLE (17) WHERE {scope} AND {where};

-- name: facets_of_match
-- The packed terms of the matches, all or those in random blocks, for counting outside: five times faster than
-- unnest and GROUP BY (a match has about 70 terms). Indexes: those of {where}.
SELECT count(*), string_agg(packed, ''::bytea)
FROM (SELECT d.packed FROM search_document d {sample} WHERE {scope} AND {where} LIMIT %(most)s) AS match;

-- name: terms_after
-- The dictionary's newer part. Index: primary key of search_term.
SELECT id, field, name FROM search_term WHERE id > %(known)s ORDER BY id;
