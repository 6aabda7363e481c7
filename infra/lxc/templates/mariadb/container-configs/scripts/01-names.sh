#!/bin/sh
set -eu
for name in "${DATABASE:-app}" "${DATABASE_USER:-app}"; do
    case $name in
        *[!a-z0-9_]* | [0-9]* | '') log_error "$name is no name for MariaDB: use a-z, 0-9 and _"; exit 1 ;;
    esac
done
