#!/bin/sh
set -eu
log_info "Starting nginx"
systemctl enable --now nginx
systemctl reload nginx 2>/dev/null || systemctl restart nginx
systemctl is-active nginx
