-- Search on PostgreSQL: documents as integer arrays, the dictionary behind the integers, and counters.

-- Every searchable name once. Rows are never removed, so an id may be remembered by any process.
-- field: 'tag:CATEGORY' for tags, 'in' for categories that occur, else the facet's name.
CREATE TABLE search_term (
    id          integer PRIMARY KEY,             -- given under the writers' lock, without a sequence: no gaps
    field       text COLLATE "C" NOT NULL,
    name        text COLLATE "C" NOT NULL,
    UNIQUE (name, field)
);

-- One row a record. Wide on purpose: a match reads its terms from the same page as its filters.
CREATE TABLE search_document (
    record      bigint PRIMARY KEY,
    revision    bigint NOT NULL,                 -- external version: a write with a lower one is dropped
    created_at  timestamptz NOT NULL,
    bytes       bigint NOT NULL,
    pixels      bigint NOT NULL GENERATED ALWAYS AS (width::bigint * height) STORED,
    width       integer NOT NULL,
    height      integer NOT NULL,
    collection  integer NOT NULL REFERENCES search_term,
    people      smallint,
    deleted     boolean NOT NULL,                -- a tombstone: it holds nothing but its revision
    shown       boolean NOT NULL,                -- not deleted, and everybody may see it
    visibility  text NOT NULL,
    status      text NOT NULL,
    rating      text,
    format      text NOT NULL,
    sha256      text COLLATE "C" NOT NULL,
    terms       integer[] NOT NULL,              -- search_term ids without repetition, those of tags first
    packed      bytea NOT NULL,                  -- terms again, four bytes each, low first: for counting facets
    confidences smallint[] NOT NULL,             -- per mille, of the tags at the same positions
    words       text[] COLLATE "C" NOT NULL,
    written_at  timestamptz NOT NULL DEFAULT now(),
    CHECK (cardinality(confidences) <= cardinality(terms)),
    CHECK (octet_length(packed) = 4 * cardinality(terms)),
    CHECK (NOT (deleted AND shown))
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.05,
        autovacuum_analyze_scale_factor = 0.05);

-- Compiled queries: tags, facets' values; words of keys and captions. Short pending lists keep reads even.
CREATE INDEX search_document_terms ON search_document USING gin (terms)
    WITH (gin_pending_list_limit = 512) WHERE NOT deleted;
CREATE INDEX search_document_words ON search_document USING gin (words)
    WITH (gin_pending_list_limit = 512) WHERE NOT deleted;
-- Walks in the order of the hits, one for each pair of orders; order:id walks the primary key.
CREATE INDEX search_document_created ON search_document (created_at, record) WHERE NOT deleted;
CREATE INDEX search_document_bytes ON search_document (bytes, record) WHERE NOT deleted;
CREATE INDEX search_document_pixels ON search_document (pixels, record) WHERE NOT deleted;
-- sha: by its beginning.
CREATE INDEX search_document_sha256 ON search_document (sha256) WHERE NOT deleted;
-- purge.
CREATE INDEX search_document_tombstones ON search_document (written_at) WHERE deleted;

-- How many live and shown documents of a collection have a term; kept by the write itself, so always exact.
CREATE TABLE search_count (
    collection  integer NOT NULL,                -- ids of search_term, unchecked: a batch counts thousands
    term        integer NOT NULL,
    live        integer NOT NULL CHECK (live >= 0),
    shown       integer NOT NULL CHECK (shown BETWEEN 0 AND live),
    PRIMARY KEY (term, collection)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.2);
