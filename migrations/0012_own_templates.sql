-- The files of the templates that accounts made through the API, packed as one archive each, in hexadecimal.
CREATE TABLE own_templates (
    account TEXT NOT NULL,
    name    TEXT NOT NULL,
    packed  TEXT NOT NULL,
    PRIMARY KEY (account, name)
);
