-- Not made from the log: who was asked in, by their address. A row goes when it is answered, withdrawn or over.
CREATE TABLE invitations (
    id         TEXT   PRIMARY KEY,
    hash       TEXT   NOT NULL,
    email      TEXT   NOT NULL,
    account    TEXT,
    role       TEXT,
    until      BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX invitations_hash ON invitations (hash);
CREATE INDEX invitations_account ON invitations (account, created_at);
-- How a person wants to be called.
ALTER TABLE people ADD COLUMN name TEXT;
