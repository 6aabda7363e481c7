#!/bin/sh
set -eu
# Kept before it is used: a run that is interrupted goes on with the same password.
password=$(sed -n 's/^RABBITMQ_PASSWORD=//p' /etc/infrahaus/credentials/rabbitmq 2>/dev/null || true)
if [ -z "$password" ]; then
    password=$(generate_password 24)
    save_credential rabbitmq RABBITMQ_USER gantry
    save_credential rabbitmq RABBITMQ_PASSWORD "$password"
fi
users=$(rabbitmqctl -q list_users)
case $users in
    *gantry*) ;;
    # Without a password on the command line it is read from standard input.
    *) printf '%s\n' "$password" | rabbitmqctl add_user gantry ;;
esac
rabbitmqctl set_user_tags gantry administrator
rabbitmqctl set_permissions -p / gantry '.*' '.*' '.*'
case $users in *guest*) rabbitmqctl delete_user guest ;; esac
