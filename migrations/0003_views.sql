-- Read models: made from the log, may be emptied and replayed. Each row is whole in its document; the columns beside it are what one asks by.
CREATE TABLE operations (
    id         TEXT   PRIMARY KEY,
    account    TEXT,
    target     TEXT,
    host       TEXT,
    pipeline   TEXT   NOT NULL,
    status     TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    document   TEXT   NOT NULL
);
CREATE INDEX operations_created ON operations (created_at, id);
CREATE INDEX operations_account ON operations (account, created_at, id);
CREATE INDEX operations_target ON operations (target, created_at, id);
CREATE INDEX operations_status ON operations (status, created_at, id);
-- One operation at work on a container: who comes second is refused in the transaction that would accept it.
CREATE UNIQUE INDEX operations_at_work ON operations (target) WHERE status IN ('queued', 'running');

CREATE TABLE containers (
    id         TEXT   PRIMARY KEY,
    account    TEXT,
    host       TEXT,
    node       TEXT,
    hostname   TEXT   NOT NULL,
    template   TEXT,
    lifecycle  TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    document   TEXT   NOT NULL
);
CREATE INDEX containers_created ON containers (created_at, id);
CREATE INDEX containers_account ON containers (account, created_at, id);
CREATE INDEX containers_host ON containers (host, created_at, id);
CREATE INDEX containers_hostname ON containers (hostname);
-- Two containers of one name would answer to each other's; a removed one gives its name back.
CREATE UNIQUE INDEX containers_names_in_use ON containers (hostname) WHERE lifecycle <> 'removed';

CREATE TABLE hosts (
    id         TEXT   PRIMARY KEY,
    name       TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    document   TEXT   NOT NULL
);
CREATE INDEX hosts_created ON hosts (created_at, id);
CREATE INDEX hosts_name ON hosts (name);

CREATE TABLE vmids (
    id         TEXT   PRIMARY KEY,
    host       TEXT   NOT NULL,
    container  TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    document   TEXT   NOT NULL
);
CREATE INDEX vmids_created ON vmids (created_at, id);
CREATE INDEX vmids_host ON vmids (host, created_at, id);
CREATE INDEX vmids_container ON vmids (container);
