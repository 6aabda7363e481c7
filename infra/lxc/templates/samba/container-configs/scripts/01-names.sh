#!/bin/sh
set -eu
case ${SHARE_USER:-share} in *[!a-z0-9_-]* | [0-9-]* | '') log_error 'SHARE_USER: use a-z, 0-9, - and _'; exit 1 ;; esac
