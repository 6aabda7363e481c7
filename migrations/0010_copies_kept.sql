-- What is kept of copies counts against the account's quota: a read model, made from the log.
CREATE TABLE copies_kept (
    id         TEXT   PRIMARY KEY,
    account    TEXT   NOT NULL,
    snapshots  TEXT   NOT NULL,
    backups    TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    document   TEXT   NOT NULL
);
CREATE INDEX copies_kept_account ON copies_kept (account);
-- Who asks what is at work for an account does not walk all that ever was.
CREATE INDEX operations_account_status ON operations (account, status);
