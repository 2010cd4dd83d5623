#!/bin/sh
# Run by the image of PostgreSQL when the database is made: the service's own role owns its database and is no superuser.
set -eu
psql --no-psqlrc -v ON_ERROR_STOP=1 -v password="$POSTGRES_PASSWORD" --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
CREATE ROLE placements LOGIN PASSWORD :'password';
CREATE DATABASE placements OWNER placements;
-- The superuser is left to the container's own socket.
ALTER ROLE CURRENT_USER PASSWORD NULL;
SQL
