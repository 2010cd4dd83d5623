-- oldest: 3
-- When the handler of a waiting event first failed: its day begins then, however long others have stood before it.
ALTER TABLE inbox ADD COLUMN tried_at BIGINT NULL;
