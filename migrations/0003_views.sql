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
