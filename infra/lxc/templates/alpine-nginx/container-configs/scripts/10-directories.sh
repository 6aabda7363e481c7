#!/bin/sh
set -eu
install -d -m 0755 /var/www/site
[ -e /var/www/site/index.html ] || printf '<!doctype html>\n<title>nginx</title>\n<h1>It works</h1>\n' >/var/www/site/index.html
