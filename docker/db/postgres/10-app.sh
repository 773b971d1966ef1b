#!/bin/bash
# First start: the application's own role, which is no superuser, and its database. CREATEDB is for restoring a backup beside the
# database in use. The sidecar logs in as the same role: `pg_monitor` lets it see the statistics of all sessions and the size of the
# write-ahead log, and no row of data more. In production give it to a role of the sidecar's own (docker/README.md).
set -euo pipefail
psql -v ON_ERROR_STOP=1 --no-psqlrc --username "${POSTGRES_USER:-postgres}" --dbname postgres \
  --set password="$(cat /run/secrets/db_password)" <<'SQL'
CREATE ROLE app LOGIN CREATEDB PASSWORD :'password';
GRANT pg_monitor TO app;
CREATE DATABASE app OWNER app;
\connect app
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
SQL
