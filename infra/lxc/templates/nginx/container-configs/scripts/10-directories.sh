#!/bin/sh
set -eu
log_info "Making room for the site"
install -d -m 0755 /var/www/site
