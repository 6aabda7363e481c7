#!/bin/sh
set -eu
if [ ! -e /etc/infrahaus/credentials/rabbitmq ]; then
    password=$(generate_password 24)
    # Without a password on the command line it is read from standard input.
    printf '%s\n' "$password" | rabbitmqctl add_user gantry
    rabbitmqctl set_user_tags gantry administrator
    rabbitmqctl set_permissions -p / gantry '.*' '.*' '.*'
    rabbitmqctl delete_user guest
    save_credential rabbitmq RABBITMQ_USER gantry
    save_credential rabbitmq RABBITMQ_PASSWORD "$password"
fi
