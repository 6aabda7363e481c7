#!/bin/sh
set -eu
database=${DATABASE:-app}
user=${DATABASE_USER:-app}
# Kept before it is used: a run that is interrupted goes on with the same password.
password=$(sed -n 's/^DATABASE_PASSWORD=//p' /etc/infrahaus/credentials/mariadb 2>/dev/null || true)
if [ -z "$password" ]; then
    password=$(generate_password 24)
    save_credential mariadb DATABASE_USER "$user"
    save_credential mariadb DATABASE_PASSWORD "$password"
fi
log_info "The database $database and its user $user"
printf "DELETE FROM mysql.global_priv WHERE User = ''; DROP DATABASE IF EXISTS test; CREATE DATABASE IF NOT EXISTS %s;\n" "$database" | mariadb
printf "CREATE USER IF NOT EXISTS '%s'@'%%' IDENTIFIED BY '%s'; GRANT ALL ON %s.* TO '%s'@'%%'; FLUSH PRIVILEGES;\n" \
    "$user" "$password" "$database" "$user" | mariadb
