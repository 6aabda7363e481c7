-- Not made from the log: by which identity at another provider somebody signs in.
CREATE TABLE identities (
    issuer  TEXT NOT NULL,
    subject TEXT NOT NULL,
    person  TEXT NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX identities_person ON identities (person);
-- Sign-ins that were begun and not finished; each is good once, for minutes.
CREATE TABLE oidc_attempts (
    hash     TEXT   PRIMARY KEY,
    nonce    TEXT   NOT NULL,
    verifier TEXT   NOT NULL,
    redirect TEXT   NOT NULL,
    until    BIGINT NOT NULL
);
