-- Templates as they were when a container got them: its files may change or go, what was promised does not.
CREATE TABLE template_versions (
    hash    TEXT PRIMARY KEY,
    name    TEXT NOT NULL,
    content TEXT NOT NULL
);
CREATE INDEX template_versions_name ON template_versions (name);

-- What one installation settles once, like the hash of the token that its first start made.
CREATE TABLE settled (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
