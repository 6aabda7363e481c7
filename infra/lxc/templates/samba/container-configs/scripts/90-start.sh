#!/bin/sh
set -eu
systemctl enable --now smbd
systemctl restart smbd
systemctl is-active smbd
