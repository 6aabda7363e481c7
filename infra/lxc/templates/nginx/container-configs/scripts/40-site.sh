#!/bin/sh
set -eu
if [ ! -e /var/www/site/index.html ]; then
    log_info "Writing the first page for ${SITE_NAME:-localhost}"
    printf '<!doctype html>\n<title>%s</title>\n<h1>%s works</h1>\n' "${SITE_NAME:-localhost}" "${SITE_NAME:-localhost}" \
        >/var/www/site/index.html
fi
rm -f /etc/nginx/sites-enabled/default
