#!/bin/sh
set -eu
install -d -m 0755 /etc/prometheus/targets
