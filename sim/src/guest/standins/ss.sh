#!/bin/sh
# ss, netstat: the ports of the units' stand-ins, and those that are really listened on
. /usr/lib/gantry-sim/lib.sh
header=1 listen= process= udp= tcp=
for o; do
  case $o in
  --no-header) header= ;;
  --listening) listen=1 ;;
  --processes | --programs) process=1 ;;
  --*) ;;
  -*) case $o in *H*) header= ;; esac; case $o in *l*) listen=1 ;; esac; case $o in *p*) process=1 ;; esac; case $o in *u*) udp=1 ;; esac; case $o in *t*) tcp=1 ;; esac ;;
  esac
done
rows() {
  for f in "$RUN"/ports/*; do
    [ -f "$f" ] || continue
    u=${f##*/}
    p=$(pid_of "$u" || echo 1)
    name=${u%.service}
    case $name in ssh) name=sshd ;; postgresql*) name=postgres ;; mariadb) name=mariadbd ;; mysql) name=mysqld ;; docker-*) name=docker-proxy ;; grafana-server) name=grafana ;; esac
    while read -r a port; do echo "$a $port $name $p"; done < "$f"
  done
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '
    function hex(s, i, n) { n = 0; for (i = 1; i <= length(s); i++) n = n * 16 + index("0123456789abcdef", tolower(substr(s, i, 1))) - 1; return n }
    $4 == "0A" { split($2, a, ":");
      if (length(a[1]) == 8) ip = hex(substr(a[1], 7, 2)) "." hex(substr(a[1], 5, 2)) "." hex(substr(a[1], 3, 2)) "." hex(substr(a[1], 1, 2));
      else ip = (a[1] ~ /^0+$/) ? "[::]" : "[::1]";
      print ip, hex(a[2]), $10 }' | while read -r a port inode; do
    fd=$(find /proc/[0-9]*/fd -lname "socket:\\[$inode\\]" 2>/dev/null | head -n 1)
    p=${fd#/proc/}; p=${p%%/*}
    echo "$a $port $(cat "/proc/$p/comm" 2>/dev/null || echo -) ${p:-0}"
  done
}
if [ "$me" = netstat ]; then
  [ -n "$header" ] && { echo "Active Internet connections (only servers)"; echo "Proto Recv-Q Send-Q Local Address           Foreign Address         State       PID/Program name"; }
  rows | while read -r a port name p; do printf 'tcp        0      0 %-23s 0.0.0.0:*               LISTEN      %s\n' "$a:$port" "$p/$name"; done
  exit 0
fi
[ -n "$header" ] && printf '%-7s %-6s %-6s %20s %18s %s\n' State Recv-Q Send-Q Local\ Address:Port Peer\ Address:Port Process
[ -n "$udp" ] && [ -z "$tcp" ] && exit 0
[ -n "$listen" ] || exit 0
rows | while read -r a port name p; do
  users=
  [ -n "$process" ] && [ "$p" != 0 ] && users="users:((\"$name\",pid=$p,fd=6))"
  case $a in \[*) peer='[::]:*' ;; *) peer='0.0.0.0:*' ;; esac
  printf '%-7s %-6s %-6s %20s %18s %s\n' LISTEN 0 511 "$a:$port" "$peer" "$users"
done
exit 0
