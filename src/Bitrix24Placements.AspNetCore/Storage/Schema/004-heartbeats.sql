-- oldest: 3
-- What browsers say of the worker's load, a sample, by portal and hour: beside what the service's own answers took.
CREATE TABLE heartbeats (
    member_id TEXT   NOT NULL,
    app       TEXT   NOT NULL,
    hour      BIGINT NOT NULL,
    loads     BIGINT NOT NULL,
    slow      BIGINT NOT NULL,
    total_ms  BIGINT NOT NULL,
    worst_ms  BIGINT NOT NULL,
    PRIMARY KEY (member_id, app, hour)
);

CREATE INDEX heartbeats_by_hour ON heartbeats (hour);

ALTER TABLE worker_hours ADD COLUMN total_ms BIGINT NOT NULL DEFAULT 0;
