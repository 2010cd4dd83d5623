-- oldest: 3
-- An installation is a portal and one of the apps: what was there belongs to the default one.
-- Versions before this one write by member_id alone and cannot live with it.
CREATE TABLE apps (
    name            TEXT   NOT NULL PRIMARY KEY,
    client_id       TEXT   NOT NULL,
    secret          TEXT   NOT NULL,
    previous_secret TEXT   NULL,
    app_code        TEXT   NULL,
    changed_at      BIGINT NOT NULL
);

CREATE UNIQUE INDEX apps_by_client_id ON apps (client_id);

CREATE TABLE portals_of_apps (
    member_id                TEXT    NOT NULL,
    app                      TEXT    NOT NULL,
    client_endpoint          TEXT    NOT NULL,
    oauth_server             TEXT    NOT NULL,
    state                    INTEGER NOT NULL,
    epoch                    BIGINT  NOT NULL,
    user_id                  BIGINT  NOT NULL,
    is_administrator         INTEGER NOT NULL DEFAULT 1,
    tokens                   TEXT    NULL,
    tokens_state             INTEGER NOT NULL,
    tokens_version           BIGINT  NOT NULL,
    tokens_expire_at         BIGINT  NOT NULL,
    tokens_renewed_at        BIGINT  NOT NULL,
    refresh_owner            TEXT    NULL,
    refresh_until            BIGINT  NOT NULL,
    -- A second pair, of another user: calls go on with it when the first is refused for good.
    reserve_tokens           TEXT    NULL,
    reserve_user_id          BIGINT  NOT NULL DEFAULT 0,
    reserve_is_administrator INTEGER NOT NULL DEFAULT 0,
    reserve_version          BIGINT  NOT NULL DEFAULT 0,
    reserve_expire_at        BIGINT  NOT NULL DEFAULT 0,
    reserve_renewed_at       BIGINT  NOT NULL DEFAULT 0,
    application_token_hash   TEXT    NULL,
    removal_key              TEXT    NOT NULL,
    removal_key_hash         TEXT    NOT NULL,
    declaration              TEXT    NOT NULL,
    placements               TEXT    NULL,
    reconciled_at            BIGINT  NOT NULL,
    checked_at               BIGINT  NOT NULL,
    removals                 INTEGER NOT NULL,
    removed_at               BIGINT  NOT NULL,
    -- After an uninstallation that is to leave nothing behind.
    delete_at                BIGINT  NULL,
    PRIMARY KEY (member_id, app)
);

INSERT INTO portals_of_apps (member_id, app, client_endpoint, oauth_server, state, epoch, user_id, tokens, tokens_state, tokens_version, tokens_expire_at,
    tokens_renewed_at, refresh_owner, refresh_until, application_token_hash, removal_key, removal_key_hash, declaration, placements, reconciled_at, checked_at,
    removals, removed_at)
SELECT member_id, 'default', client_endpoint, oauth_server, state, epoch, user_id, tokens, tokens_state, tokens_version, tokens_expire_at,
    tokens_renewed_at, refresh_owner, refresh_until, application_token_hash, removal_key, removal_key_hash, declaration, placements, reconciled_at, checked_at,
    removals, removed_at
FROM portals;

DROP TABLE portals;

ALTER TABLE portals_of_apps RENAME TO portals;

CREATE UNIQUE INDEX portals_by_removal_key ON portals (removal_key_hash);
CREATE INDEX portals_by_declaration ON portals (state, declaration, member_id, app);
CREATE INDEX portals_by_renewal ON portals (state, tokens_renewed_at);
CREATE INDEX portals_by_token_state ON portals (state, tokens_state);
CREATE INDEX portals_by_reserve ON portals (state, reserve_renewed_at) WHERE reserve_tokens IS NOT NULL;
CREATE INDEX portals_by_deletion ON portals (delete_at) WHERE delete_at IS NOT NULL;

CREATE TABLE work_of_apps (
    member_id  TEXT    NOT NULL,
    app        TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    priority   INTEGER NOT NULL DEFAULT 0,
    due_at     BIGINT  NOT NULL,
    attempt    INTEGER NOT NULL,
    request    BIGINT  NOT NULL,
    payload    TEXT    NULL,
    created_at BIGINT  NOT NULL,
    lease_by   TEXT    NULL,
    lease_till BIGINT  NOT NULL,
    -- Of an installation that is kept alone: whether the OAuth server has vouched for it and for which app, and whose share it takes.
    vouched    INTEGER NULL,
    client_id  TEXT    NULL,
    address    TEXT    NULL,
    PRIMARY KEY (member_id, app, kind)
);

INSERT INTO work_of_apps (member_id, app, kind, priority, due_at, attempt, request, payload, created_at, lease_by, lease_till, vouched)
SELECT member_id, 'default', kind, priority, due_at, attempt, request, payload, created_at, lease_by, lease_till, CASE WHEN kind LIKE 'install:%' THEN 0 END
FROM work;

DROP TABLE work;

ALTER TABLE work_of_apps RENAME TO work;

CREATE INDEX work_by_priority ON work (priority, due_at);
CREATE INDEX work_kept ON work (created_at) WHERE vouched IS NOT NULL;

CREATE TABLE worker_hours_of_apps (
    member_id TEXT   NOT NULL,
    app       TEXT   NOT NULL,
    hour      BIGINT NOT NULL,
    loads     BIGINT NOT NULL,
    slow      BIGINT NOT NULL,
    worst_ms  BIGINT NOT NULL,
    PRIMARY KEY (member_id, app, hour)
);

INSERT INTO worker_hours_of_apps (member_id, app, hour, loads, slow, worst_ms)
SELECT member_id, 'default', hour, loads, slow, worst_ms FROM worker_hours;

DROP TABLE worker_hours;

ALTER TABLE worker_hours_of_apps RENAME TO worker_hours;

CREATE INDEX worker_hours_by_hour ON worker_hours (hour);

-- Events that were answered 200 and wait for their handlers. What is done stays for a day without its payload, so that a repeat is known.
CREATE TABLE inbox (
    member_id   TEXT    NOT NULL,
    app         TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    payload     TEXT    NULL,
    received_at BIGINT  NOT NULL,
    due_at      BIGINT  NOT NULL,
    state       INTEGER NOT NULL,
    attempt     INTEGER NOT NULL,
    PRIMARY KEY (member_id, app, id)
);

CREATE INDEX inbox_in_order ON inbox (member_id, app, state, received_at);
CREATE INDEX inbox_by_state ON inbox (state, received_at);
