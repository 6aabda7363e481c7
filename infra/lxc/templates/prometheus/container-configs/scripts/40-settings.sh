#!/bin/sh
set -eu
printf 'ARGS="--storage.tsdb.retention.time=%sd"\n' "${RETENTION_DAYS:-30}" >/etc/default/prometheus.new
if cmp -s /etc/default/prometheus.new /etc/default/prometheus; then rm -f /etc/default/prometheus.new; else mv /etc/default/prometheus.new /etc/default/prometheus; fi
