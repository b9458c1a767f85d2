-- What is stored, what is still to be done, what was found, and the record that it is merged to.

CREATE TABLE schema_version (
    version     integer PRIMARY KEY,
    name        text NOT NULL,
    applied_at  timestamptz NOT NULL DEFAULT now()
);

-- Collections: buckets or prefixes with a plan (which models), rules and roles of their own.
CREATE TABLE collections (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL UNIQUE CHECK (name <> ''),
    hold        boolean NOT NULL DEFAULT false,  -- hold every image back until somebody cleared it
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE collection_sources (
    bucket      text NOT NULL,
    prefix      text NOT NULL DEFAULT '',        -- the longest matching prefix decides
    collection  integer NOT NULL REFERENCES collections,
    suffixes    text[] NOT NULL DEFAULT '{}',    -- lower case; empty: every key
    PRIMARY KEY (bucket, prefix)
);

-- Models that have ever spoken, one row per revision (a digest of files, preprocessing and decoding).
CREATE TABLE models (
    id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL,
    stage       text NOT NULL,
    revision    text NOT NULL,
    sample      boolean NOT NULL DEFAULT false,
    labels      text[] NOT NULL,                 -- the position is what `results.labels` holds
    categories  text[] NOT NULL,                 -- of the label at the same position
    thresholds  jsonb NOT NULL,                  -- the manifest's defaults by category
    floor       real NOT NULL,
    registered_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (name, revision),
    CHECK (cardinality(labels) = cardinality(categories))
);

-- A plan version is the set of models whose results make a record complete. The newest one is in force.
CREATE TABLE plans (
    version     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    collection  integer NOT NULL REFERENCES collections,
    models      integer[] NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX plans_newest ON plans (collection, version DESC);

-- Vocabulary, thresholds and policies: data in versions, the newest of a kind is in force.
CREATE TABLE rules (
    kind        text NOT NULL CHECK (kind IN ('vocabulary', 'thresholds', 'policies')),
    version     integer NOT NULL CHECK (version > 0),
    document    jsonb NOT NULL,
    created_by  text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, version)
);

-- Images are content: one row per SHA-256, however many objects hold the bytes.
CREATE TABLE images (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sha256      text NOT NULL UNIQUE,
    bytes       bigint NOT NULL,
    format      text NOT NULL,
    width       integer NOT NULL,
    height      integer NOT NULL,
    frames      integer NOT NULL,
    phash       bigint NOT NULL,
    colours     jsonb NOT NULL,                  -- [[name, "#rrggbb", share], …]
    notes       text[] NOT NULL DEFAULT '{}',
    created_at  timestamptz NOT NULL DEFAULT now()
);

-- Objects are places: what a bucket holds under a key now. `checks` counts hints; a HEAD answers for one value
-- of it. Older versions of a versioned bucket are not tracked: only the current one makes an image live.
CREATE TABLE objects (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    collection  integer NOT NULL REFERENCES collections,
    bucket      text NOT NULL,
    key         text COLLATE "C" NOT NULL,
    version     text NOT NULL DEFAULT '',        -- of the bytes that the last HEAD saw
    checks      bigint NOT NULL DEFAULT 1,
    checked     bigint NOT NULL DEFAULT 0,
    state       text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'present', 'sidecar', 'refused', 'gone')),
    image       bigint REFERENCES images,
    known       boolean NOT NULL DEFAULT false,  -- its content had been analysed before it came
    etag        text NOT NULL DEFAULT '',
    size        bigint,
    modified_at timestamptz,
    metadata    jsonb NOT NULL DEFAULT '{}',
    error_code  text NOT NULL DEFAULT '',
    error       text NOT NULL DEFAULT '',
    event_id    text NOT NULL DEFAULT '',
    seen_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (bucket, key),
    CHECK (octet_length(key) <= 1024)
);
CREATE INDEX objects_image ON objects (image) WHERE image IS NOT NULL;
-- A sidecar (name.png.txt, name.txt) finds its images and the other way round by the key without its ending.
CREATE INDEX objects_stem ON objects (bucket, regexp_replace(key, '\.[^./]*$', ''));

-- What is known of an object from beside it: tags in a .txt file or in the object's metadata.
CREATE TABLE sidecars (
    object      bigint NOT NULL REFERENCES objects ON DELETE CASCADE,
    source      text NOT NULL,                   -- 'file' or 'metadata'
    tags        text[] NOT NULL,
    PRIMARY KEY (object, source)
);

-- Work that is pending or has failed: what ended well has a result and no row here.
CREATE TABLE work (
    stage       text NOT NULL,
    subject     bigint NOT NULL,                 -- objects.id for ingest, images.id for every other stage
    model       integer NOT NULL DEFAULT 0,      -- models.id; 0 for ingest
    priority    smallint NOT NULL DEFAULT 0,     -- 0 live, 1 backfill
    state       text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'failed', 'quarantined')),
    attempts    smallint NOT NULL DEFAULT 0,
    deaths      smallint NOT NULL DEFAULT 0,     -- attempts that ended with their process
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    claimed_by  text,
    claimed_at  timestamptz,
    code        text NOT NULL DEFAULT '',
    reason      text NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (stage, subject, model)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
CREATE INDEX work_ready ON work (stage, priority, next_attempt_at, subject)
    WHERE state = 'pending' AND claimed_by IS NULL AND deaths = 0;
CREATE INDEX work_suspect ON work (stage, next_attempt_at, subject)
    WHERE state = 'pending' AND claimed_by IS NULL AND deaths > 0;
CREATE INDEX work_claimed ON work (claimed_by) WHERE claimed_by IS NOT NULL;
CREATE INDEX work_subject ON work (subject) WHERE stage <> 'ingest';

-- Workers that claim. A claim holds while its worker is heard of.
CREATE TABLE workers (
    name        text PRIMARY KEY,
    roles       text NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT now(),
    seen_at     timestamptz NOT NULL DEFAULT now()
);

-- How many hints are under way per queue: a busy queue needs no more of them.
CREATE TABLE hints (
    queue       text PRIMARY KEY,
    waiting     integer NOT NULL DEFAULT 0,
    sent_at     timestamptz NOT NULL DEFAULT now()
);

-- Raw results at or above the model's floor, as parallel arrays.
CREATE TABLE results (
    image       bigint NOT NULL REFERENCES images ON DELETE CASCADE,
    model       integer NOT NULL REFERENCES models,
    stage       text NOT NULL,
    labels      smallint[] NOT NULL,
    scores      real[] NOT NULL,
    boxes       real[],                          -- x0, y0, x1, y1 of each label in original upright pixels
    millis      real NOT NULL,
    batch       smallint NOT NULL,
    computed    smallint NOT NULL DEFAULT 1,     -- how often it was computed: more than once is repeated work
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (image, model)
);
CREATE INDEX results_model ON results (model);

-- Records belong to (collection, content). `dirty` counts reasons to merge, `merged` the ones that were merged.
CREATE TABLE records (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    collection  integer NOT NULL REFERENCES collections,
    image       bigint NOT NULL REFERENCES images,
    plan        integer NOT NULL REFERENCES plans,
    dirty       bigint NOT NULL DEFAULT 1,
    merged      bigint NOT NULL DEFAULT 0,
    dirty_at    timestamptz NOT NULL DEFAULT now(),
    revision    bigint NOT NULL DEFAULT 0,
    live        boolean NOT NULL DEFAULT true,
    status      text NOT NULL DEFAULT 'pending',
    visibility  text NOT NULL DEFAULT 'shown',
    vocabulary  integer NOT NULL DEFAULT 0,
    thresholds  integer NOT NULL DEFAULT 0,
    document    jsonb,                           -- the merged record as it was published last
    created_at  timestamptz NOT NULL DEFAULT now(),
    completed_at timestamptz,
    UNIQUE (image, collection)
) WITH (fillfactor = 80);
CREATE INDEX records_dirty ON records (dirty_at) WHERE dirty > merged;

-- A person's word on a tag; the latest row per tag holds.
CREATE TABLE edits (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    record      bigint NOT NULL REFERENCES records ON DELETE CASCADE,
    tag         text NOT NULL,
    category    text NOT NULL,
    action      text NOT NULL CHECK (action IN ('add', 'remove', 'clear')),
    person      text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX edits_record ON edits (record, tag, id DESC);

-- Which index is behind on which record. A document is written with the record's revision.
CREATE TABLE index_state (
    record      bigint NOT NULL REFERENCES records ON DELETE CASCADE,
    backend     text NOT NULL,
    revision    bigint NOT NULL,
    indexed     bigint NOT NULL DEFAULT 0,
    changed_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (record, backend)
) WITH (fillfactor = 80);
CREATE INDEX index_behind ON index_state (backend, changed_at) WHERE revision > indexed;

-- Messages and events that could not be understood, with the reason; they can be replayed.
CREATE TABLE dead_letters (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source      text NOT NULL,
    body        text NOT NULL,
    code        text NOT NULL,
    reason      text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    replayed_at timestamptz
);
