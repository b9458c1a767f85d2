-- Why a person should look at an image, who did, what they said, and who the people are.

-- People. `key` is the name after NFKC and case folding, so that two names that look alike are one.
CREATE TABLE accounts (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL CHECK (name <> ''),
    key         text NOT NULL UNIQUE,
    role        text NOT NULL CHECK (role IN ('viewer', 'moderator', 'admin')),
    password_hash text,                          -- argon2id; NULL: signs in by a one-time link only
    disabled    boolean NOT NULL DEFAULT false,
    created_at  timestamptz NOT NULL DEFAULT now()
);

-- Sessions and one-time links are known by the SHA-256 of their token: a stolen backup signs nobody in.
CREATE TABLE sessions (
    digest      bytea PRIMARY KEY,
    account     bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    created_at  timestamptz NOT NULL DEFAULT now(),
    seen_at     timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL             -- however busy it is
);
CREATE INDEX sessions_account ON sessions (account);
CREATE INDEX sessions_expiry ON sessions (expires_at);
CREATE TABLE sign_in_links (
    digest      bytea PRIMARY KEY,
    account     bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    expires_at  timestamptz NOT NULL
);
CREATE INDEX sign_in_links_account ON sign_in_links (account);

-- Failed attempts to sign in, and those under way, within the window that limits them.
CREATE TABLE sign_in_failures (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key         text NOT NULL,
    address     text NOT NULL,
    at          timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX sign_in_failures_key ON sign_in_failures (key, at DESC);
CREATE INDEX sign_in_failures_address ON sign_in_failures (address, at DESC);
CREATE INDEX sign_in_failures_at ON sign_in_failures (at);

-- What policies have ever found, one row per distinct finding. No foreign key: the audit outlives the record.
CREATE TABLE flags (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    record      bigint NOT NULL,
    policy      text NOT NULL,
    version     integer NOT NULL,                -- of the policies
    subject     text NOT NULL,
    source      text NOT NULL,                   -- the model's name
    score       real NOT NULL,
    threshold   real NOT NULL,
    severity    text NOT NULL CHECK (severity IN ('low', 'medium', 'high')),
    action      text NOT NULL CHECK (action IN ('review', 'hold')),
    queue       text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (record, policy, subject, version, source, score)  -- the dedupe key: merging again finds the same
);

-- Which flag of each policy and subject holds now: the projection that merging keeps.
CREATE TABLE standing_flags (
    record      bigint NOT NULL REFERENCES records ON DELETE CASCADE,
    policy      text NOT NULL,
    subject     text NOT NULL,
    queue       text NOT NULL,
    flag        bigint NOT NULL REFERENCES flags,
    PRIMARY KEY (record, policy, subject)
);

-- The queue: at most one open item per record and queue. Closed ones stay, so every index is partial.
CREATE TABLE review_items (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    record      bigint NOT NULL REFERENCES records ON DELETE CASCADE,
    queue       text NOT NULL CHECK (queue <> ''),
    status      text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'closed')),
    priority    smallint NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    due_at      timestamptz NOT NULL,
    closed_at   timestamptz,
    escalated   boolean NOT NULL DEFAULT false,
    version     integer NOT NULL DEFAULT 0,
    lease       text,
    leased_by   bigint REFERENCES accounts,
    leased_at   timestamptz,
    leased_until timestamptz,
    shown       jsonb NOT NULL DEFAULT '[]',     -- the flags that the holder of the lease was given
    shown_revision bigint NOT NULL DEFAULT 0,    -- and the record's revision then
    CHECK ((lease IS NULL) = (leased_by IS NULL) AND (lease IS NULL) = (leased_until IS NULL)),
    CHECK (status = 'open' OR lease IS NULL)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX review_items_one_open ON review_items (record, queue) WHERE status = 'open';
CREATE INDEX review_items_urgent ON review_items (priority DESC, due_at, id) WHERE status = 'open';
CREATE INDEX review_items_queue ON review_items (queue, priority DESC, due_at, id) WHERE status = 'open';
CREATE INDEX review_items_mine ON review_items (leased_by) WHERE status = 'open' AND leased_by IS NOT NULL;

-- Who passed an open item by: it comes last for them.
CREATE TABLE review_skips (
    item        bigint NOT NULL REFERENCES review_items ON DELETE CASCADE,
    person      bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (item, person)
);
CREATE INDEX review_skips_person ON review_skips (person, at);

-- What was decided, with what the person was shown. An undo is a row of its own, so nothing is ever rewritten.
CREATE TABLE review_decisions (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    item        bigint NOT NULL,
    record      bigint NOT NULL,
    queue       text NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('primary', 'undo')),
    undoes      bigint UNIQUE REFERENCES review_decisions,
    verdict     text NOT NULL CHECK (verdict IN ('keep', 'remove', 'escalate')),
    reason      text NOT NULL DEFAULT '',
    person      bigint NOT NULL,
    reviewer    text NOT NULL,
    shown       jsonb NOT NULL,
    revision    bigint NOT NULL,
    phash       bigint NOT NULL,                 -- of the image, so that precedents need no other table
    duration_ms integer NOT NULL CHECK (duration_ms >= 0),
    at          timestamptz NOT NULL DEFAULT now(),
    CHECK ((kind = 'undo') = (undoes IS NOT NULL))
);
CREATE INDEX review_decisions_record ON review_decisions (record, id DESC);

-- Everything that happened to items, by whom. Actor '' is Nafuda itself.
CREATE TABLE review_events (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    item        bigint,
    record      bigint NOT NULL,
    actor       text NOT NULL,
    action      text NOT NULL CHECK (action <> ''),
    detail      text NOT NULL DEFAULT '',
    at          timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX review_events_record ON review_events (record, id);

-- Everything that happened to accounts.
CREATE TABLE account_events (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account     bigint NOT NULL,
    actor       text NOT NULL,
    action      text NOT NULL CHECK (action <> ''),
    detail      text NOT NULL DEFAULT '',
    at          timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX account_events_account ON account_events (account, id);

-- The audit is append-only for everybody who does not own the tables (see docs/moderation.md for those who do).
-- ENABLE ALWAYS: the trigger fires under session_replication_role = replica as well.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege', HINT = 'Write a new row that says what changed.';
END
$$;
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['flags', 'review_decisions', 'review_events', 'account_events'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', name);
    END LOOP;
END
$$;
