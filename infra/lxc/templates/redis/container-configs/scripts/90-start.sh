#!/bin/sh
set -eu
systemctl enable --now redis-server
systemctl restart redis-server
systemctl is-active redis-server
