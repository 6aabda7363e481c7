#!/bin/sh
# curl, wget: no network but the guest's own, and what /var/lib/sim/fixtures/index has: lines of URL and file
. /usr/lib/gantry-sim/lib.sh
out= url= silent= fail= show= head= write= next= code=
for a; do
  case $next in out) out=$a next=; continue ;; write) write=$a next=; continue ;; skip) next=; continue ;; esac
  case $a in
  -o | --output | -O-) [ "$a" = -O- ] && out=- || next=out ;;
  -O) if [ "$me" = wget ]; then next=out; else out=remote; fi ;;
  -qO-) silent=1 out=- ;;
  -qO) silent=1 next=out ;;
  -w | --write-out) next=write ;;
  -H | -d | -X | -u | -A | -m | -e | -T | -t | -P | --header | --data | --request | --user | --max-time | --connect-timeout | --retry | --retry-delay | --user-agent | --cacert | --timeout | --tries) next=skip ;;
  --output=* | --output-document=*) out=${a#*=} ;;
  -V | --version) echo "$me 7.88.1 (x86_64-pc-linux-gnu)"; exit 0 ;;
  --silent | --quiet | -q) silent=1 ;;
  --fail) fail=1 ;;
  --show-error) show=1 ;;
  --*) ;;
  -*) case $a in *s*) silent=1 ;; esac; case $a in *f*) fail=1 ;; esac; case $a in *S*) show=1 ;; esac; case $a in *I*) head=1 ;; esac; case $a in *O) [ "$me" = curl ] && out=remote ;; esac; case $a in *o) [ "$me" = curl ] && next=out ;; esac ;;
  *) url=$a ;;
  esac
done
[ -n "$url" ] || { echo "$me: no URL specified" >&2; exit 2; }
case $url in *://*) ;; *) url=http://$url ;; esac
host=${url#*://}; host=${host%%/*}; host=${host##*@}
port=${host##*:}; [ "$port" = "$host" ] && case $url in https*) port=443 ;; *) port=80 ;; esac
host=${host%:*}
name=${url##*/}; name=${name%%\?*}
put() {
  [ "$me" = wget ] && [ -z "$out" ] && out=remote
  case $out in '' | -) cat ;; remote) cat > "${name:-index.html}" ;; *) cat > "$out" ;; esac || exit 23
  [ -z "$write" ] || printf "$(printf '%s' "$write" | sed 's/%{http_code}/200/g; s/%{[a-z_]*}//g')"
  exit 0
}
file=$(awk -v u="$url" '$1 == u { print $2; exit }' /var/lib/sim/fixtures/index 2>/dev/null)
[ -n "$file" ] && [ -r "$file" ] && put < "$file"
case $host in
localhost | 127.* | ::1 | \[::1\] | 0.0.0.0 | "$(cat /proc/sys/kernel/hostname)")
  hex=$(printf '%04X' "$port")
  if grep -qi ":$hex [0-9A-F]*:0000 0A" /proc/net/tcp /proc/net/tcp6 2>/dev/null && [ -x "$SIM/real/$me" ]; then exec "$SIM/real/$me" "$@"; fi
  if grep -qs " $port\$" "$RUN"/ports/*; then
    if [ -n "$head" ]; then printf 'HTTP/1.1 200 OK\r\nServer: simulator\r\n\r\n' | put; exit; fi
    if [ -r /var/www/html/index.html ]; then put < /var/www/html/index.html; fi
    echo '<!DOCTYPE html><html><head><title>Welcome!</title></head><body>simulated</body></html>' | put
    exit
  fi
  [ -n "$write" ] && printf "$(printf '%s' "$write" | sed 's/%{http_code}/000/g; s/%{[a-z_]*}//g')"
  if [ "$me" = wget ]; then [ -n "$silent" ] || echo "Connecting to $host:$port... failed: Connection refused." >&2; exit 4; fi
  [ -n "$silent" ] && [ -z "$show" ] || echo "curl: (7) Failed to connect to $host port $port after 0 ms: Couldn't connect to server" >&2
  exit 7 ;;
esac
[ -n "$write" ] && printf "$(printf '%s' "$write" | sed 's/%{http_code}/000/g; s/%{[a-z_]*}//g')"
if [ "$me" = wget ]; then [ -n "$silent" ] || echo "wget: unable to resolve host address '$host'" >&2; exit 4; fi
[ -n "$silent" ] && [ -z "$show" ] || echo "curl: (6) Could not resolve host: $host" >&2
exit 6
