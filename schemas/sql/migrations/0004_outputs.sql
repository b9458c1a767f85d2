-- What models other than taggers and detectors say, and work that waits for other stages.

ALTER TABLE results
    ADD COLUMN texts    text[],                  -- a caption, or the words that were read, at the labels' positions
    ADD COLUMN figures  real[];                  -- of scorers, in the range of each label's kind

-- Vectors of length 1. Each model is a space of its own; where pgvector is installed each gets a partial HNSW index
-- over the vectors cast to its width (`nafuda models index`).
CREATE TABLE embeddings (
    image       bigint NOT NULL REFERENCES images ON DELETE CASCADE,
    model       integer NOT NULL REFERENCES models,
    vector      real[] NOT NULL,
    PRIMARY KEY (image, model)
);
CREATE INDEX embeddings_model ON embeddings (model, image);

-- Work that needs other stages' results is held back until they have ended.
ALTER TABLE work ADD COLUMN held boolean NOT NULL DEFAULT false;
DROP INDEX work_ready;
DROP INDEX work_suspect;
CREATE INDEX work_ready ON work (stage, priority, next_attempt_at, subject)
    WHERE state = 'pending' AND claimed_by IS NULL AND deaths = 0 AND NOT held;
CREATE INDEX work_suspect ON work (stage, next_attempt_at, subject)
    WHERE state = 'pending' AND claimed_by IS NULL AND deaths > 0 AND NOT held;
CREATE INDEX work_held ON work (subject) WHERE held;

-- How figures become classes, ladders and market scores is a rule in versions too.
ALTER TABLE rules DROP CONSTRAINT rules_kind_check;
ALTER TABLE rules ADD CONSTRAINT rules_kind_check
    CHECK (kind IN ('vocabulary', 'thresholds', 'policies', 'scoring'));
ALTER TABLE records ADD COLUMN scoring integer NOT NULL DEFAULT 0;

-- Near duplicates: pictures whose perceptual hashes share one of four 16-bit parts differ little (multi-index hashing).
CREATE INDEX images_phash_1 ON images ((phash & 65535));
CREATE INDEX images_phash_2 ON images (((phash >> 16) & 65535));
CREATE INDEX images_phash_3 ON images (((phash >> 32) & 65535));
CREATE INDEX images_phash_4 ON images (((phash >> 48) & 65535));

-- Vectors are searched through these two, because an index is over one space and one width, which only DDL can say.
-- They need the extension pgvector when they are called, not before; it lies in public or, as with us, in a schema of
-- its own, so that a restore may drop public.
CREATE FUNCTION nafuda_open_space(space integer, width integer)
    RETURNS void LANGUAGE plpgsql SET search_path = public, vectors, pg_temp AS $$
BEGIN
    EXECUTE format('CREATE INDEX IF NOT EXISTS embeddings_space_%1$s ON embeddings '
        'USING hnsw ((vector::vector(%2$s)) vector_cosine_ops) WITH (m = 16, ef_construction = 128) '
        'WHERE model = %1$s', space, width);
END $$;
CREATE FUNCTION nafuda_nearest(space integer, wanted real[], most integer)
    RETURNS TABLE (image bigint, cosine double precision)
    LANGUAGE plpgsql SET search_path = public, vectors, pg_temp AS $$
BEGIN
    -- So many candidates are kept while walking the graph; the server's most is 1000.
    PERFORM set_config('hnsw.ef_search', least(1000, greatest(160, 2 * most))::text, true);
    RETURN QUERY EXECUTE format('SELECT e.image, 1 - (e.vector::vector(%2$s) <=> $1::vector(%2$s)) FROM embeddings e '
        'WHERE e.model = %1$s ORDER BY e.vector::vector(%2$s) <=> $1::vector(%2$s) LIMIT $2',
        space, cardinality(wanted)) USING wanted, most;
END $$;
