#!/bin/sh
set -eu
systemctl enable --now mosquitto
systemctl restart mosquitto
systemctl is-active mosquitto
