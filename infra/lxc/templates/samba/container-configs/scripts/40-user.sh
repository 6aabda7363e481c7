#!/bin/sh
set -eu
user=${SHARE_USER:-share}
grep -q "^$user:" /etc/passwd || useradd --system --no-create-home --shell /usr/sbin/nologin "$user"
install -d -m 2770 /srv/share
chown "$user:" /srv/share
