-- oldest: 3
-- What browsers say of the worker's load, a sample, by installation and hour.
CREATE TABLE heartbeats (
    member_id TEXT    NOT NULL,
    app       TEXT    NOT NULL,
    hour      BIGINT  NOT NULL,
    beats     BIGINT  NOT NULL,
    slow      BIGINT  NOT NULL,
    total_ms  BIGINT  NOT NULL,
    worst_ms  BIGINT  NOT NULL,
    PRIMARY KEY (member_id, app, hour)
);

CREATE INDEX heartbeats_by_hour ON heartbeats (hour);
