-- oldest: 3
-- When the installation was told of that a portal's row holds: one that was kept and is older changes nothing any more.
ALTER TABLE portals ADD COLUMN told_at BIGINT NOT NULL DEFAULT 0;

-- The name of a removed app stays its own: its installations are still there.
ALTER TABLE apps ADD COLUMN removed INTEGER NOT NULL DEFAULT 0;

DROP INDEX apps_by_client_id;
CREATE UNIQUE INDEX apps_by_client_id ON apps (client_id) WHERE removed = 0;
