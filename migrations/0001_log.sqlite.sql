-- The log. Its order of columns and their meaning equal 0001_log.postgres.sql; a test compares them.
CREATE TABLE log (
    position     INTEGER PRIMARY KEY,
    stream       TEXT   NOT NULL,
    version      BIGINT NOT NULL,
    kind         TEXT   NOT NULL,
    kind_version BIGINT NOT NULL,
    data         TEXT   NOT NULL,
    meta         TEXT   NOT NULL,
    recorded_at  BIGINT NOT NULL,
    hash         BLOB   NOT NULL
);
CREATE UNIQUE INDEX log_stream ON log (stream, version);

-- Its one row is the lock that makes the order of commits the order of positions.
CREATE TABLE log_head (
    id          BIGINT PRIMARY KEY,
    position    BIGINT NOT NULL,
    hash        BLOB   NOT NULL,
    recorded_at BIGINT NOT NULL
);
INSERT INTO log_head VALUES (1, 0, zeroblob(32), 0);

CREATE TABLE idempotency (
    key            TEXT   PRIMARY KEY,
    fingerprint    TEXT   NOT NULL,
    answer         TEXT   NOT NULL,
    first_position BIGINT NOT NULL,
    last_position  BIGINT NOT NULL,
    created_at     BIGINT NOT NULL
);
CREATE INDEX idempotency_created ON idempotency (created_at);

-- How far each follower of the log has come.
CREATE TABLE followers (
    name     TEXT   PRIMARY KEY,
    position BIGINT NOT NULL
);
