#!/bin/sh
set -eu
database=${DATABASE:-app}
user=${DATABASE_USER:-app}
printf "DELETE FROM mysql.global_priv WHERE User = ''; DROP DATABASE IF EXISTS test; CREATE DATABASE IF NOT EXISTS %s;\n" "$database" | mariadb
if [ ! -e /etc/infrahaus/credentials/mariadb ]; then
    password=$(generate_password 24)
    printf "CREATE OR REPLACE USER '%s'@'%%' IDENTIFIED BY '%s'; GRANT ALL ON %s.* TO '%s'@'%%'; FLUSH PRIVILEGES;\n" \
        "$user" "$password" "$database" "$user" | mariadb
    save_credential mariadb DATABASE_USER "$user"
    save_credential mariadb DATABASE_PASSWORD "$password"
    log_info "Made the database $database and its user $user"
fi
