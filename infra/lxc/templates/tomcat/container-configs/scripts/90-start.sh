#!/bin/sh
set -eu
systemctl enable --now tomcat10
systemctl is-active tomcat10
