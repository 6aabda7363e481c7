#!/bin/sh
set -eu
case ${MQTT_USER:-mqtt} in *[!A-Za-z0-9_-]* | '') log_error 'MQTT_USER: use letters, digits, - and _'; exit 1 ;; esac
file=/etc/mosquitto/passwords
if [ ! -e "$file" ]; then
    password=$(generate_password 24)
    # Kept before the file is there: what is interrupted begins again with another one.
    save_credential mosquitto MQTT_USER "${MQTT_USER:-mqtt}"
    save_credential mosquitto MQTT_PASSWORD "$password"
    ( umask 077; printf '%s:%s\n' "${MQTT_USER:-mqtt}" "$password" >"$file.new" )
    # Turns what is written plainly into hashes, in place.
    mosquitto_passwd -U "$file.new" 2>/dev/null || log_warn 'mosquitto_passwd is not here: the file is plain'
    chown mosquitto "$file.new" 2>/dev/null || true
    mv "$file.new" "$file"
fi
