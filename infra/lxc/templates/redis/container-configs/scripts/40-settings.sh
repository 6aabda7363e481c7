#!/bin/sh
set -eu
conf=/etc/redis/gantry.conf
if [ -e "$conf" ]; then
    password=$(sed -n 's/^requirepass //p' "$conf")
else
    password=$(generate_password 32)
    save_credential redis REDIS_PASSWORD "$password"
fi
( umask 027
  {
      printf 'bind 0.0.0.0\nprotected-mode yes\nappendonly yes\n'
      printf 'requirepass %s\nmaxmemory %smb\nmaxmemory-policy allkeys-lru\n' "$password" "${MAX_MEMORY_MB:-256}"
  } >"$conf.new" )
if cmp -s "$conf.new" "$conf"; then rm -f "$conf.new"; else mv "$conf.new" "$conf"; fi
chgrp redis "$conf" 2>/dev/null || true
grep -q "^include $conf" /etc/redis/redis.conf || printf 'include %s\n' "$conf" >>/etc/redis/redis.conf
