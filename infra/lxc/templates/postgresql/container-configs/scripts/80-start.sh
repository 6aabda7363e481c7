#!/bin/sh
set -eu
systemctl enable --now postgresql
systemctl restart postgresql
