-- Sealed secrets. Its columns and their meaning equal 0005_vault.postgres.sql; a test compares them.
CREATE TABLE sealed (
    id         TEXT   PRIMARY KEY,
    record     TEXT   NOT NULL,
    key_id     TEXT   NOT NULL,
    nonce      BLOB   NOT NULL,
    ciphertext BLOB   NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX sealed_key ON sealed (key_id, id);
