#!/bin/sh
# Runs once, when the database is made: three roles without power beyond their own work.
# The owner changes tables; web and worker may enter and get their rights from the migrations.
set -eu

export SECRETS="${SECRETS:-/run/secrets}"
# psql reads the passwords itself, so that they stand in no list of processes.
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 \
    --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\set owner_password `cat "$SECRETS/database_owner_password"`
\set web_password `cat "$SECRETS/database_web_password"`
\set worker_password `cat "$SECRETS/database_worker_password"`
SET password_encryption = 'scram-sha-256';
CREATE ROLE handrail_owner LOGIN NOSUPERUSER NOBYPASSRLS NOREPLICATION NOCREATEROLE NOCREATEDB
    PASSWORD :'owner_password';
CREATE ROLE handrail_web LOGIN NOSUPERUSER NOBYPASSRLS NOREPLICATION NOCREATEROLE NOCREATEDB
    PASSWORD :'web_password';
CREATE ROLE handrail_worker LOGIN NOSUPERUSER NOBYPASSRLS NOREPLICATION NOCREATEROLE NOCREATEDB
    PASSWORD :'worker_password';
SELECT current_database() AS database \gset
ALTER DATABASE :"database" OWNER TO handrail_owner;
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO handrail_web, handrail_worker;
ALTER SCHEMA public OWNER TO handrail_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO handrail_web, handrail_worker;
SQL
