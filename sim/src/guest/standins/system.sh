#!/bin/sh
# Clock, locale, firewall, kernel settings, swap, power: noted, and shown again
. /usr/lib/gantry-sim/lib.sh
case $me in
timedatectl)
  case ${1-} in
  set-timezone) [ -e "/usr/share/zoneinfo/$2" ] || [ "$2" = UTC ] || { echo "Failed to set time zone: Invalid or not installed time zone '$2'" >&2; exit 1; }; echo "$2" > /etc/timezone; ln -sf "/usr/share/zoneinfo/$2" /etc/localtime ;;
  list-timezones) printf 'Etc/UTC\nEurope/Berlin\nEurope/London\nAmerica/New_York\n' ;;
  show) echo "Timezone=$(cat /etc/timezone)"; echo NTPSynchronized=yes ;;
  set-* | '' | status) [ -n "${1-}" ] && [ "$1" != status ] || printf '               Local time: %s\n                Time zone: %s\nSystem clock synchronized: yes\n' "$(date)" "$(cat /etc/timezone)" ;;
  esac ;;
localectl) case ${1-} in set-locale) shift; printf '%s\n' "$@" > /etc/default/locale ;; *) echo "System Locale: $(cat /etc/default/locale 2>/dev/null)" ;; esac ;;
update-locale) printf '%s\n' "$@" | grep "=" > /etc/default/locale ;;
locale-gen) for l in $(sed -n 's/^\([^# ][^ ]*\) .*/\1/p' /etc/locale.gen) "$@"; do case $l in -*) ;; *) echo "  $l... done" ;; esac; done; echo "Generation complete." ;;
ufw)
  s=/var/lib/sim/ufw
  touch $s
  [ "${1-}" = --force ] && shift
  case ${1-} in
  enable) echo on > $s.on; echo "Firewall is active and enabled on system startup" ;;
  disable) rm -f $s.on; echo "Firewall stopped and disabled on system startup" ;;
  status) if [ -e $s.on ]; then echo "Status: active"; echo; [ -s $s ] && { printf '%-27s%-12s%s\n' To Action From; cat $s; }; else echo "Status: inactive"; fi ;;
  allow | deny | limit | reject) a=$(echo "$1" | tr a-z A-Z); shift; printf '%-27s%-12s%s\n' "$*" "$a" Anywhere >> $s; echo "Rule added" ;;
  delete) shift 2; grep -v "^$* " $s > $s.new; mv $s.new $s; echo "Rule deleted" ;;
  default | reload | logging | app) echo "Default policy changed" ;;
  reset) : > $s; rm -f $s.on ;;
  esac ;;
sysctl)
  write= quiet=
  for a; do
    case $a in
    -w) ;;
    -q) quiet=1 ;;
    -n) name=1 ;;
    -p* | --system | -a) for f in /etc/sysctl.conf /etc/sysctl.d/*.conf; do [ -r "$f" ] && sed -n 's/^[[:space:]]*\([a-z][^#= ]*\)[[:space:]]*=[[:space:]]*\(.*\)/\1=\2/p' "$f"; done | while IFS= read -r l; do echo "${l%%=*} = ${l#*=}"; echo "$l" >> "$RUN/sysctl"; done ;;
    -*) ;;
    *=*) echo "$a" >> "$RUN/sysctl"; [ -n "$quiet" ] || echo "${a%%=*} = ${a#*=}" ;;
    *) v=$(sed -n "s/^$a=//p" "$RUN/sysctl" 2>/dev/null | tail -n 1); [ -n "$v" ] || v=$(cat "/proc/sys/$(echo "$a" | tr . /)" 2>/dev/null) || { case $a in */*) ;; *.*) ;; *) echo "sysctl: cannot stat /proc/sys/$a: No such file or directory" >&2; exit 1 ;; esac; }; [ -n "${name-}" ] && echo "$v" || echo "$a = $v" ;;
    esac
  done ;;
mkswap) for last; do :; done; [ -e "$last" ] || { echo "mkswap: cannot open $last: No such file or directory" >&2; exit 1; }; echo "Setting up swapspace version 1" ;;
swapon) case ${1-} in '' | -s | --show*) cat "$RUN/swap" 2>/dev/null ;; *) for last; do :; done; echo "$last file 1G 0B -2" >> "$RUN/swap" ;; esac ;;
swapoff) rm -f "$RUN/swap" ;;
modprobe | iptables | nft | dmesg) ;;
poweroff | halt) kill -TERM 1 ;;
reboot) : > "$RUN/reboot"; kill -TERM 1 ;;
shutdown) case " $* " in *" -c "*) ;; *" -r "*) : > "$RUN/reboot"; kill -TERM 1 ;; *) kill -TERM 1 ;; esac ;;
loginctl) ;;
free) m=$(cat "$RUN/memory"); printf '               total        used        free      shared  buff/cache   available\nMem:  %14d %11d %11d           0           0 %11d\nSwap:              0           0           0\n' $((m * 1024)) $((m * 102)) $((m * 922)) $((m * 922)) ;;
crontab)
  who=root
  [ "${1-}" = -u ] && { who=$2; shift 2; }
  f=/var/spool/cron/crontabs/$who
  case ${1--} in -l) [ -e "$f" ] && cat "$f" || { echo "no crontab for $who" >&2; exit 1; } ;; -r) rm -f "$f" ;; -) cat > "$f" ;; -e) ;; *) cat "$1" > "$f" ;; esac ;;
esac
exit
