-- Containers whose guest differs from their record, and guests with our marker that no container has: read models.
CREATE TABLE drift (
    id         TEXT   PRIMARY KEY,
    account    TEXT,
    missing    TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    document   TEXT   NOT NULL
);
CREATE INDEX drift_created ON drift (created_at, id);
CREATE INDEX drift_account ON drift (account, created_at, id);

CREATE TABLE orphans (
    id         TEXT   PRIMARY KEY,
    host       TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    document   TEXT   NOT NULL
);
CREATE INDEX orphans_created ON orphans (created_at, id);
CREATE INDEX orphans_host ON orphans (host, created_at, id);
