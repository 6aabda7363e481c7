-- The containers that are being cloned: a read model, made from the log. While one is, nobody else works on it.
CREATE TABLE clone_sources (
    id        TEXT PRIMARY KEY,
    container TEXT NOT NULL,
    held      TEXT NOT NULL
);
CREATE INDEX clone_sources_held ON clone_sources (container) WHERE held = 'yes';
