#!/bin/sh
set -eu
systemctl enable --now caddy
systemctl reload caddy 2>/dev/null || systemctl restart caddy
systemctl is-active caddy
