#!/bin/sh
# ip, ifconfig, hostname, hostnamectl
. /usr/lib/gantry-sim/lib.sh
addresses() { awk '{ for (i = 3; i <= NF; i++) print $i }' "$RUN/net"; }
named=$(cat /proc/sys/kernel/hostname)
name_it() { "$SIM/real/hostname" "$1" 2>/dev/null; echo "$1" > /etc/hostname; }
case $me in
hostname)
  case ${1-} in
  -I | --all-ip-addresses) out=; for a in $(addresses); do case $a in fe80:*) ;; *) out="$out${a%/*} " ;; esac; done; echo "$out" ;;
  -i | --ip-address) addresses | head -n 1 | sed 's,/.*,,' ;;
  -s | --short) echo "${named%%.*}" ;;
  -f | --fqdn | --long) awk -v n="$named" '!/^#/ { for (i = 2; i <= NF; i++) if ($i == n) { print $2; exit } }' /etc/hosts | grep . || echo "$named" ;;
  -d | --domain) case $named in *.*) echo "${named#*.}" ;; *) echo ;; esac ;;
  '') echo "$named" ;;
  -*) ;;
  *) name_it "$1" ;;
  esac
  exit ;;
hostnamectl)
  case ${1-} in
  set-hostname | hostname) [ -n "${2-}" ] && name_it "$2" || echo "$named" ;;
  *) . /etc/os-release; printf ' Static hostname: %s\n       Icon name: computer-container\n         Chassis: container\n  Virtualization: lxc\nOperating System: %s\n          Kernel: Linux %s\n    Architecture: x86-64\n' "$named" "$PRETTY_NAME" "$(uname -r)" ;;
  esac
  exit 0 ;;
ifconfig) ip addr; exit ;;
esac
family= brief= one= json= object= device= verb=
while [ $# -gt 0 ]; do
  case $1 in
  -4) family=inet ;;
  -6) family=inet6 ;;
  -o | -oneline) one=1 ;;
  -br | -brief) brief=1 ;;
  -j | -json) json=1 ;;
  -*) ;;
  dev) device=$2; shift ;;
  scope | to) shift ;;
  show | list | ls | get) verb=show ;;
  add | del | set | replace | flush | change) verb=write ;;
  *) if [ -z "$object" ]; then object=$1; elif [ -z "$device" ]; then device=$1; fi ;;
  esac
  shift
done
[ "$verb" = write ] && exit 0
case $object in
r | ro | route)
  [ "$family" = inet6 ] && exit 0
  while read -r n _ first _; do
    [ -n "$first" ] || continue
    base=${first%/*}
    gateway=$(cat "$RUN/gateway" 2>/dev/null)
    [ -n "$gateway" ] || gateway=${base%.*}.1
    if [ -n "$device" ] && [ "$device" != default ] && [ "$device" != "$n" ]; then echo "$device via $gateway dev $n src $base uid 0"; exit 0; fi
    echo "default via $gateway dev $n"
    [ "$device" = default ] || echo "${base%.*}.0/${first#*/} dev $n proto kernel scope link src $base"
  done < "$RUN/net"
  exit 0 ;;
n | neigh | rule | netns) exit 0 ;;
esac
{ echo "lo 00:00:00:00:00:00 127.0.0.1/8 ::1/128"; cat "$RUN/net"; } | awk -v family="$family" -v one="$one" -v brief="$brief" -v json="$json" -v device="$device" -v object="$object" '
  BEGIN { if (json) printf "[" }
  { n = NR; name = $1; mac = $2
    if (device != "" && device != name) next
    shown++
    flags = (name == "lo") ? "LOOPBACK,UP,LOWER_UP" : "BROADCAST,MULTICAST,UP,LOWER_UP"
    link = (name == "lo") ? "loopback" : "ether"
    if (brief) { printf "%-16s %-14s", name, (name == "lo" ? "UNKNOWN" : "UP"); if (object ~ /^l/) printf " %s", mac; else for (i = 3; i <= NF; i++) { f = ($i ~ /:/) ? "inet6" : "inet"; if (family == "" || family == f) printf " %s", $i }; printf "\n"; next }
    if (json) { printf "%s{\"ifindex\":%d,\"ifname\":\"%s\",\"flags\":[\"UP\",\"LOWER_UP\"],\"mtu\":1500,\"operstate\":\"UP\",\"link_type\":\"%s\",\"address\":\"%s\",\"addr_info\":[", (shown > 1 ? "," : ""), n, name, link, mac
      c = 0; for (i = 3; i <= NF; i++) { f = ($i ~ /:/) ? "inet6" : "inet"; if (family != "" && family != f) continue; split($i, a, "/"); printf "%s{\"family\":\"%s\",\"local\":\"%s\",\"prefixlen\":%d,\"scope\":\"%s\"}", (c++ ? "," : ""), f, a[1], a[2], ($i ~ /^fe80/ ? "link" : name == "lo" ? "host" : "global") }
      printf "]}"; next }
    if (!one) { printf "%d: %s: <%s> mtu %d qdisc noqueue state %s group default qlen 1000\n", n, name (name == "lo" ? "" : "@if2"), flags, (name == "lo" ? 65536 : 1500), (name == "lo" ? "UNKNOWN" : "UP"); if (family == "") printf "    link/%s %s brd %s\n", link, mac, (name == "lo" ? "00:00:00:00:00:00" : "ff:ff:ff:ff:ff:ff") }
    if (object ~ /^l/) { if (one) printf "%d: %s: <%s> mtu 1500 state UP link/%s %s\n", n, name, flags, link, mac; next }
    for (i = 3; i <= NF; i++) { f = ($i ~ /:/) ? "inet6" : "inet"; if (family != "" && family != f) continue
      scope = ($i ~ /^fe80/) ? "link" : (name == "lo" ? "host" : "global")
      if (one) printf "%d: %s    %s %s scope %s %s\\       valid_lft forever preferred_lft forever\n", n, name, f, $i, scope, name
      else printf "    %s %s scope %s %s\n       valid_lft forever preferred_lft forever\n", f, $i, scope, name } }
  END { if (json) print "]"; if (device != "" && !shown) exit 1 }' || { echo "Device \"$device\" does not exist." >&2; exit 1; }
