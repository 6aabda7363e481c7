#!/bin/sh
set -eu
systemctl enable --now docker
systemctl is-active docker
