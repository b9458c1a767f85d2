-- Records that were erased, by number alone, until nobody who had read them before can still write a document of them:
-- so long the sweeper has the search index forget them again.
CREATE TABLE IF NOT EXISTS erased_records (
    record      bigint PRIMARY KEY,
    at          timestamptz NOT NULL DEFAULT clock_timestamp()
);
