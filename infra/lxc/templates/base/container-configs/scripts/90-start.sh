#!/bin/sh
set -eu
systemctl enable --now unattended-upgrades fail2ban
systemctl is-active fail2ban
