-- Sealed secrets. Events name a row by its id; deleting the row is how a secret is forgotten.
CREATE TABLE sealed (
    id         TEXT   PRIMARY KEY,
    record     TEXT   NOT NULL,
    key_id     TEXT   NOT NULL,
    nonce      BYTEA  NOT NULL,
    ciphertext BYTEA  NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX sealed_key ON sealed (key_id, id);
