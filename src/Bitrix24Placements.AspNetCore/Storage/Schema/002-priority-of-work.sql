-- Whoever has asked for something does not wait for what nobody has asked for: the work of each priority has an order of its own.
ALTER TABLE work ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;

DROP INDEX work_by_due;

CREATE INDEX work_by_priority ON work (priority, due_at);
