#!/bin/sh
set -eu
systemctl enable --now rabbitmq-server
systemctl is-active rabbitmq-server
rabbitmq-plugins enable rabbitmq_management 2>/dev/null || log_warn 'the page for people can not be switched on'
