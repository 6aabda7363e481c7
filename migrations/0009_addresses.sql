-- The fixed addresses that containers have: a read model, made from the log. Who comes second is refused in the transaction that would accept it.
CREATE TABLE addresses (
    id         TEXT   PRIMARY KEY,
    place      TEXT   NOT NULL,
    ipv4       TEXT,
    ipv6       TEXT,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    document   TEXT   NOT NULL
);
CREATE INDEX addresses_created ON addresses (created_at, id);
CREATE UNIQUE INDEX addresses_ipv4 ON addresses (ipv4, place);
CREATE UNIQUE INDEX addresses_ipv6 ON addresses (ipv6, place);
