#!/bin/sh
set -eu
if [ ! -e /etc/infrahaus/credentials/samba ]; then
    password=$(generate_password 20)
    printf '%s\n%s\n' "$password" "$password" | smbpasswd -s -a "${SHARE_USER:-share}"
    save_credential samba SHARE_USER "${SHARE_USER:-share}"
    save_credential samba SHARE_PASSWORD "$password"
fi
