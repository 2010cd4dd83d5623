-- oldest: 3
-- What a portal's waiting events take is read from the index alone: from the rows it took others' turns to write.
ALTER TABLE inbox ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;

UPDATE inbox SET bytes = OCTET_LENGTH(payload) WHERE state = 0 AND payload IS NOT NULL;

DROP INDEX inbox_in_order;
CREATE INDEX inbox_in_order ON inbox (member_id, app, state, received_at, bytes);
