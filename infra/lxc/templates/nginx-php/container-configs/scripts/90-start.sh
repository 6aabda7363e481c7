#!/bin/sh
set -eu
systemctl enable --now php8.2-fpm nginx
systemctl reload nginx 2>/dev/null || systemctl restart nginx
systemctl is-active php8.2-fpm nginx
