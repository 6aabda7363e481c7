#!/bin/sh
set -eu
printf -- '-m %s\n-p 11211\n-u memcache\n-l 0.0.0.0\n-U 0\n' "${MAX_MEMORY_MB:-256}" >/etc/memcached.conf.new
if cmp -s /etc/memcached.conf.new /etc/memcached.conf; then rm -f /etc/memcached.conf.new; else mv /etc/memcached.conf.new /etc/memcached.conf; fi
