#!/bin/sh
set -eu
install -d -m 0755 /etc/systemd/system/tomcat10.service.d
file=/etc/systemd/system/tomcat10.service.d/memory.conf
printf '[Service]\nEnvironment="CATALINA_OPTS=-Xmx%sm"\n' "${HEAP_MB:-768}" >"$file.new"
if cmp -s "$file.new" "$file"; then rm -f "$file.new"; else mv "$file.new" "$file"; systemctl daemon-reload; fi
