-- One script for both databases: TEXT, BIGINT and INTEGER mean the same to each. Instants are Unix milliseconds.
CREATE TABLE portals (
    member_id              TEXT    NOT NULL PRIMARY KEY,
    client_endpoint        TEXT    NOT NULL,
    oauth_server           TEXT    NOT NULL,
    state                  INTEGER NOT NULL,
    epoch                  BIGINT  NOT NULL,
    user_id                BIGINT  NOT NULL,
    tokens                 TEXT    NULL,
    tokens_state           INTEGER NOT NULL,
    tokens_version         BIGINT  NOT NULL,
    tokens_expire_at       BIGINT  NOT NULL,
    tokens_renewed_at      BIGINT  NOT NULL,
    refresh_owner          TEXT    NULL,
    refresh_until          BIGINT  NOT NULL,
    application_token_hash TEXT    NULL,
    removal_key            TEXT    NOT NULL,
    removal_key_hash       TEXT    NOT NULL,
    declaration            TEXT    NOT NULL,
    placements             TEXT    NULL,
    reconciled_at          BIGINT  NOT NULL,
    checked_at             BIGINT  NOT NULL,
    removals               INTEGER NOT NULL,
    removed_at             BIGINT  NOT NULL
);

CREATE UNIQUE INDEX portals_by_removal_key ON portals (removal_key_hash);
CREATE INDEX portals_by_declaration ON portals (state, declaration, member_id);
CREATE INDEX portals_by_renewal ON portals (state, tokens_renewed_at);
-- Counting a million portals by state reads this instead of them.
CREATE INDEX portals_by_token_state ON portals (state, tokens_state);

-- What other instances have to hear of: the newest change per portal, deleted portals included.
CREATE TABLE portal_changes (
    member_id  TEXT   NOT NULL PRIMARY KEY,
    changed_at BIGINT NOT NULL
);

CREATE INDEX portal_changes_by_time ON portal_changes (changed_at);

-- What was accepted and is not yet done. One row per portal and kind, so that a hundred notices are one piece of work.
CREATE TABLE work (
    member_id  TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    due_at     BIGINT  NOT NULL,
    attempt    INTEGER NOT NULL,
    request    BIGINT  NOT NULL,
    payload    TEXT    NULL,
    created_at BIGINT  NOT NULL,
    lease_by   TEXT    NULL,
    lease_till BIGINT  NOT NULL,
    PRIMARY KEY (member_id, kind)
);

CREATE INDEX work_by_due ON work (due_at);

-- Answers of the worker endpoint by portal and hour, against Bitrix24's limit of ten slow loads a day.
CREATE TABLE worker_hours (
    member_id TEXT    NOT NULL,
    hour      BIGINT  NOT NULL,
    loads     BIGINT  NOT NULL,
    slow      BIGINT  NOT NULL,
    worst_ms  BIGINT  NOT NULL,
    PRIMARY KEY (member_id, hour)
);

CREATE INDEX worker_hours_by_hour ON worker_hours (hour);

CREATE TABLE data_protection_keys (
    name TEXT NOT NULL PRIMARY KEY,
    xml  TEXT NOT NULL
);
