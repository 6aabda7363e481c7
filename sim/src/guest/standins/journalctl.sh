#!/bin/sh
# journalctl, logger, systemd-cat
. /usr/lib/gantry-sim/lib.sh
case $me in
logger)
  tag=root
  while [ $# -gt 0 ]; do case $1 in -t) tag=$2; shift ;; -p | -f) shift ;; -*) ;; *) break ;; esac; shift; done
  if [ $# -gt 0 ]; then note "$tag" "$*" $$; else while read -r l; do note "$tag" "$l" $$; done; fi
  exit 0 ;;
systemd-cat)
  tag=cat
  while [ $# -gt 0 ]; do case $1 in -t) tag=$2; shift ;; -p) shift ;; -*) ;; *) break ;; esac; shift; done
  if [ $# -gt 0 ]; then "$@" 2>&1 | while read -r l; do note "$tag" "$l"; done; else while read -r l; do note "$tag" "$l"; done; fi
  exit 0 ;;
esac
units= lines= follow= out=
while [ $# -gt 0 ]; do
  case $1 in
  -u | --unit | -xeu | -eu | -fu | -xu) case $1 in *f*) follow=1 ;; esac; units="$units $(alias_of "$(unit "$2")")"; shift ;;
  -u?*) units="$units $(alias_of "$(unit "${1#-u}")")" ;;
  --unit=*) units="$units $(alias_of "$(unit "${1#*=}")")" ;;
  -n | --lines) lines=$2; shift ;;
  -n?*) lines=${1#-n} ;;
  --lines=*) lines=${1#*=} ;;
  -o | -S | -U | --since | --until | --output | -p | -t) shift ;;
  -f | --follow) follow=1 ;;
  esac
  shift
done
touch "$RUN/journal"
print() {
  if [ -z "$units" ]; then cat "$RUN/journal"; else
    for u in $units; do
      grep -F -e " $u." -e " ${u%.service}[" -e " $u:" "$RUN/journal"
      [ -s "$RUN/log/$u" ] && sed "s/^/$(date '+%b %d %H:%M:%S') $(cat /proc/sys/kernel/hostname) ${u%.service}[$(pid_of "$u" || echo 1)]: /" "$RUN/log/$u"
    done
  fi
}
text=$(print)
if [ -z "$text" ]; then echo "-- No entries --"; elif [ -n "$lines" ] && [ "$lines" != all ]; then printf '%s\n' "$text" | tail -n "$lines"; else printf '%s\n' "$text"; fi
[ -z "$follow" ] || exec tail -n 0 -f "$RUN/journal"
exit 0
