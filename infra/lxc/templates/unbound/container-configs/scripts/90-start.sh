#!/bin/sh
set -eu
systemctl enable --now unbound
systemctl restart unbound
systemctl is-active unbound
