#!/bin/sh
set -eu
if [ ! -e /var/www/site/index.html ]; then
    log_info "Writing the first page"
    printf '<!doctype html>\n<title>Caddy</title>\n<h1>It works</h1>\n' >/var/www/site/index.html
fi
# The name comes from the container's maker, so it is a file of its own beside the Caddyfile.
printf '%s {\n\troot * /var/www/site\n\tfile_server\n\trespond /health "ok" 200\n}\n' "${SITE_NAME:-:80}" >/etc/caddy/sites/main.caddy
