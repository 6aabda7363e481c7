#!/bin/sh
set -eu
rc-update add nginx default
rc-service nginx restart
rc-service nginx status
