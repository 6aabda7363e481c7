-- When containers are backed up by themselves: a read model, made from the log.
CREATE TABLE schedules (
    id         TEXT   PRIMARY KEY,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    document   TEXT   NOT NULL
);
CREATE INDEX schedules_created ON schedules (created_at, id);
