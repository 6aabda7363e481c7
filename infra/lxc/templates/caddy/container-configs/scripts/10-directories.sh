#!/bin/sh
set -eu
install -d -m 0755 /var/www/site /etc/caddy/sites
