#!/bin/sh
set -eu
systemctl enable --now prometheus prometheus-node-exporter
systemctl restart prometheus
systemctl is-active prometheus
