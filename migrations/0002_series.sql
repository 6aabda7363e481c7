-- Measurements: append only, forgotten after a while. Raw samples and their roll-ups by bucket.
CREATE TABLE samples (
    series TEXT             NOT NULL,
    at     BIGINT           NOT NULL,
    value  DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (series, at)
);
CREATE INDEX samples_at ON samples (at);

CREATE TABLE sample_rollups (
    series     TEXT             NOT NULL,
    resolution BIGINT           NOT NULL,
    at         BIGINT           NOT NULL,
    count      BIGINT           NOT NULL,
    sum        DOUBLE PRECISION NOT NULL,
    min        DOUBLE PRECISION NOT NULL,
    max        DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (series, resolution, at)
);
CREATE INDEX sample_rollups_at ON sample_rollups (resolution, at);

-- Records with a number of their own in each series; the head row hands out the numbers and holds the fence.
CREATE TABLE record_heads (
    series TEXT   PRIMARY KEY,
    seq    BIGINT NOT NULL,
    fence  BIGINT NOT NULL
);

CREATE TABLE records (
    series TEXT   NOT NULL,
    seq    BIGINT NOT NULL,
    at     BIGINT NOT NULL,
    body   TEXT   NOT NULL,
    PRIMARY KEY (series, seq)
);
CREATE INDEX records_at ON records (at);
