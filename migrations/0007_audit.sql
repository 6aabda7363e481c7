-- Which events of the log were done by somebody: what the audit is asked by. The events themselves stay in the log.
CREATE TABLE audit (
    position BIGINT PRIMARY KEY,
    at       BIGINT NOT NULL,
    actor    TEXT   NOT NULL,
    account  TEXT,
    address  TEXT,
    stream   TEXT   NOT NULL,
    category TEXT   NOT NULL,
    kind     TEXT   NOT NULL
);
CREATE INDEX audit_account ON audit (account, position);
CREATE INDEX audit_actor ON audit (actor, position);
CREATE INDEX audit_stream ON audit (stream, position);
