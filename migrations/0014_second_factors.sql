-- Not made from the log: what a person's second factor is, sealed, and which of its codes was used last.
CREATE TABLE second_factors (
    person     TEXT   PRIMARY KEY,
    sealed     TEXT   NOT NULL,
    confirmed  BIGINT NOT NULL,
    last_step  BIGINT NOT NULL
);
-- For who lost it: each is good once.
CREATE TABLE recovery_codes (
    hash   TEXT PRIMARY KEY,
    person TEXT NOT NULL
);
CREATE INDEX recovery_codes_person ON recovery_codes (person);
