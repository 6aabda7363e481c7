-- Who may do what: read models, made from the log.
CREATE TABLE accounts (
    id         TEXT   PRIMARY KEY,
    name       TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    document   TEXT   NOT NULL
);
CREATE INDEX accounts_created ON accounts (created_at, id);
CREATE UNIQUE INDEX accounts_name ON accounts (name);

CREATE TABLE memberships (
    id         TEXT   PRIMARY KEY,
    account    TEXT   NOT NULL,
    member     TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    document   TEXT   NOT NULL
);
CREATE INDEX memberships_account ON memberships (account, created_at, id);
CREATE INDEX memberships_member ON memberships (member, created_at, id);

CREATE TABLE users (
    id         TEXT   PRIMARY KEY,
    admin      TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    document   TEXT   NOT NULL
);
CREATE INDEX users_created ON users (created_at, id);

CREATE TABLE api_keys (
    id         TEXT   PRIMARY KEY,
    account    TEXT,
    prefix     TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    document   TEXT   NOT NULL
);
CREATE INDEX api_keys_created ON api_keys (created_at, id);
CREATE INDEX api_keys_account ON api_keys (account, created_at, id);
CREATE UNIQUE INDEX api_keys_prefix ON api_keys (prefix);

-- What containers take of their account's quota; numbers, as text like every column that rows are asked by.
CREATE TABLE reservations (
    id         TEXT   PRIMARY KEY,
    account    TEXT   NOT NULL,
    cores      TEXT   NOT NULL,
    memory_mb  TEXT   NOT NULL,
    disk_gb    TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    document   TEXT   NOT NULL
);
CREATE INDEX reservations_created ON reservations (created_at, id);
CREATE INDEX reservations_account ON reservations (account);

-- Not made from the log: what names a person, and what opens doors. Deleting a row is how it is forgotten.
CREATE TABLE people (
    id         TEXT   PRIMARY KEY,
    login      TEXT   NOT NULL,
    password   TEXT,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX people_login ON people (login);

CREATE TABLE sessions (
    id           TEXT   PRIMARY KEY,
    person       TEXT   NOT NULL,
    access_hash  TEXT   NOT NULL,
    access_until BIGINT NOT NULL,
    until        BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    address      TEXT
);
CREATE UNIQUE INDEX sessions_access ON sessions (access_hash);
CREATE INDEX sessions_person ON sessions (person);

-- Each is good for one use; one that comes a second time ends its session.
CREATE TABLE refresh_tokens (
    hash    TEXT   PRIMARY KEY,
    session TEXT   NOT NULL,
    spent   BIGINT NOT NULL
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session);

-- Links that set a password once.
CREATE TABLE password_links (
    hash   TEXT   PRIMARY KEY,
    person TEXT   NOT NULL,
    until  BIGINT NOT NULL
);

CREATE TABLE api_key_uses (
    id      TEXT   PRIMARY KEY,
    used_at BIGINT NOT NULL,
    address TEXT
);
