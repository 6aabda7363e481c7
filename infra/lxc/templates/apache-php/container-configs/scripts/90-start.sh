#!/bin/sh
set -eu
systemctl enable --now apache2
systemctl reload apache2 2>/dev/null || systemctl restart apache2
systemctl is-active apache2
