-- oldest: 3
-- The application_token before the last update: a page that was rendered before it does not bring it back.
ALTER TABLE portals ADD COLUMN replaced_token_hash TEXT;
