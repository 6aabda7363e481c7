#!/bin/sh
set -eu
# Kept before it is used: a run that is interrupted goes on with the same password.
password=$(sed -n 's/^SHARE_PASSWORD=//p' /etc/infrahaus/credentials/samba 2>/dev/null || true)
if [ -z "$password" ]; then
    password=$(generate_password 20)
    save_credential samba SHARE_USER "${SHARE_USER:-share}"
    save_credential samba SHARE_PASSWORD "$password"
fi
printf '%s\n%s\n' "$password" "$password" | smbpasswd -s -a "${SHARE_USER:-share}"
