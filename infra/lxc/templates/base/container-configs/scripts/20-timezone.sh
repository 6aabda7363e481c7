#!/bin/sh
set -eu
wanted=/usr/share/zoneinfo/${TIMEZONE:-Etc/UTC}
[ -e "$wanted" ] || { log_error "there is no time zone ${TIMEZONE:-}: see /usr/share/zoneinfo"; exit 1; }
[ "$(readlink /etc/localtime 2>/dev/null)" = "$wanted" ] || ln -sf "$wanted" /etc/localtime
log_info "The time zone is ${TIMEZONE:-Etc/UTC}"
