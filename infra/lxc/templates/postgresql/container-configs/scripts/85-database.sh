#!/bin/sh
set -eu
as_postgres() { runuser -u postgres -- psql -v ON_ERROR_STOP=1 -qtA "$@"; }
user=${DATABASE_USER:-app}
database=${DATABASE:-app}
# Kept before it is used: a run that is interrupted goes on with the same password.
password=$(sed -n 's/^DATABASE_PASSWORD=//p' /etc/infrahaus/credentials/postgresql 2>/dev/null || true)
if [ -z "$password" ]; then
    password=$(generate_password 24)
    save_credential postgresql DATABASE_USER "$user"
    save_credential postgresql DATABASE_PASSWORD "$password"
fi
if [ -z "$(as_postgres -c "SELECT 1 FROM pg_roles WHERE rolname = '$user'")" ]; then
    # By standard input: a command line is everybody's.
    printf "CREATE ROLE %s LOGIN PASSWORD '%s';\n" "$user" "$password" | as_postgres
    log_info "Made the role $user"
fi
if [ -z "$(as_postgres -c "SELECT 1 FROM pg_database WHERE datname = '$database'")" ]; then
    runuser -u postgres -- createdb -O "$user" "$database"
    log_info "Made the database $database"
fi
