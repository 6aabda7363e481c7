#!/bin/sh
# systemctl, service, invoke-rc.d, rc-service …
. /usr/lib/gantry-sim/lib.sh
case $me in
service | invoke-rc.d | rc-service)
  [ "${1-}" = --status-all ] && { for f in "$RUN"/units/*; do echo " [ + ]  ${f##*/}"; done; exit 0; }
  u=$(alias_of "$(unit "${1-}")")
  case ${2-} in status) active "$u" && { echo "${1} is running."; exit 0; }; echo "${1} is not running ... failed!"; exit 3 ;; esac
  unit_known "$u" || { echo "${1-}: unrecognized service" >&2; exit 1; }
  exec systemctl "${2:-start}" "$1" ;;
update-rc.d) case ${2-} in disable | remove) disable_unit "$(unit "$1")" ;; *) enable_unit "$(unit "$1")" ;; esac; exit 0 ;;
rc-update) case ${1-} in del) disable_unit "$(unit "$2")" ;; add) enable_unit "$(unit "$2")" ;; esac; exit 0 ;;
esac
command= words= props= value= now= quiet= state= all= legend=1 type= plain= lines=
while [ $# -gt 0 ]; do
  case $1 in
  -p | --property) props="$props,$2"; shift ;;
  -p?*) props="$props,${1#-p}" ;;
  --property=*) props="$props,${1#*=}" ;;
  -P) props="$props,$2"; value=1; shift ;;
  --value) value=1 ;;
  --now) now=1 ;;
  -q | --quiet) quiet=1 ;;
  --state=*) state=${1#*=} ;;
  --type=*) type=${1#*=} ;;
  -t) type=$2; shift ;;
  --state) state=$2; shift ;;
  -n | -o | --lines | --output | -H | -M | --root) shift ;;
  --no-legend | --legend=false | --legend=no) legend= ;;
  -a | --all) all=1 ;;
  --user) user=1 ;;
  --version) echo "systemd 252 (252.31-1~deb12u1)"; exit 0 ;;
  -*) ;;
  *) if [ -z "$command" ]; then command=$1; else words="$words $(alias_of "$(unit "$1")")"; raw="${raw-} $1"; fi ;;
  esac
  shift
done
known() { { ls "$RUN/units" 2>/dev/null; for d in /etc/systemd/system /usr/local/lib/systemd/system; do ls "$d" 2>/dev/null | grep '\.\(service\|timer\|socket\)$'; done; ls "$RUN" | sed -n 's/^failed\.//p'; awk '!/^#/ && $3 != "-" { print $1, $3 }' $TABLE | while read -r p u; do installed "$p" && echo "$u.service"; done; echo dbus.service; echo systemd-journald.service; echo systemd-logind.service; } | sort -u; }
describe() { f=$(unit_file "$1") && d=$(value "$f" Description) && [ -n "$d" ] && { echo "$d"; return; }; echo "${1%.*}"; }
state_of() { if active "$1"; then echo active; elif [ -e "$RUN/failed.$1" ] || [ -e "$RUN/units/$1" ]; then echo failed; else echo inactive; fi; }
sub_of() { case $1 in active) if [ "$(pid_of "$2")" = 0 ]; then echo exited; else echo running; fi ;; failed) echo failed ;; *) echo dead ;; esac; }
file_state() { if masked "$1"; then echo masked; elif enabled "$1"; then echo enabled; elif f=$(unit_file "$1") && ! grep -q '^\[Install\]' "$f"; then echo static; else echo disabled; fi; }
each() {
  code=0
  for u in $words; do
    if ! unit_known "$u" && ! masked "$u"; then
      case $1 in
      stop | restart | try-restart | start | reload | reload-or-restart) echo "Failed to $1 $u: Unit $u not found." >&2; code=5 ;;
      *) echo "Failed to $1 unit: Unit file $u does not exist." >&2; code=1 ;;
      esac
      continue
    fi
    "do_$1" "$u" || code=$?
  done
  exit $code
}
do_start() { start_unit "$1"; }
do_stop() { stop_unit "$1"; }
do_restart() { stop_unit "$1"; start_unit "$1"; }
do_enable() {
  masked "$1" && { echo "Failed to enable unit: Unit file /etc/systemd/system/$1 is masked." >&2; return 1; }
  enabled "$1" || { enable_unit "$1"; [ -n "$quiet" ] || echo "Created symlink /etc/systemd/system/multi-user.target.wants/$1 → $(unit_file "$1" || echo "/lib/systemd/system/$1")." >&2; }
  [ -z "$now" ] || start_unit "$1"
}
do_disable() {
  enabled "$1" && { disable_unit "$1"; [ -n "$quiet" ] || echo "Removed \"/etc/systemd/system/multi-user.target.wants/$1\"." >&2; }
  [ -z "$now" ] || stop_unit "$1"
}
do_mask() { ln -sf /dev/null "/etc/systemd/system/$1"; [ -z "$now" ] || stop_unit "$1"; }
do_reload() { active "$1" || { echo "$1 is not active, cannot reload." >&2; return 1; }; [ -e "$RUN/ports/$1" ] && ports_of "$1" > "$RUN/ports/$1"; p=$(pid_of "$1"); return 0; }
case ${command:-list-units} in
start | stop | restart | enable | disable | reload | mask) each "$command" ;;
reload-or-restart | try-restart | force-reload | try-reload-or-restart | condrestart) command=restart; each restart ;;
unmask) for u in $words; do masked "$u" && rm -f "/etc/systemd/system/$u"; done ;;
reenable) for u in $words; do disable_unit "$u"; do_enable "$u"; done ;;
preset | link | revert | set-property | edit) ;;
kill) for u in $words; do p=$(pid_of "$u") && [ "$p" != 0 ] && kill "$p"; done ;;
is-active)
  code=3
  for u in $words; do s=$(state_of "$u"); [ "$s" = active ] && code=0; [ -n "$quiet" ] || echo "$s"; unit_known "$u" || [ $code = 0 ] || code=4; done
  exit $code ;;
is-failed) for u in $words; do s=$(state_of "$u"); [ -n "$quiet" ] || echo "$s"; [ "$s" = failed ] && exit 0; done; exit 1 ;;
is-enabled)
  code=1
  for u in $words; do
    if unit_known "$u" || masked "$u"; then s=$(file_state "$u"); [ -n "$quiet" ] || echo "$s"; case $s in enabled | static) code=0 ;; esac
    else [ -n "$quiet" ] || echo "Failed to get unit file state for $u: No such file or directory" >&2; fi
  done
  exit $code ;;
status)
  [ -n "$words" ] || { echo "● $(cat /proc/sys/kernel/hostname)"; echo "    State: running"; exit 0; }
  code=0
  for u in $words; do
    unit_known "$u" || { echo "Unit $u could not be found." >&2; code=4; continue; }
    s=$(state_of "$u"); sub=$(sub_of "$s" "$u")
    [ "$s" = active ] && dot='●' || dot='○'; [ "$s" = failed ] && dot='×'
    printf '%s %s - %s\n     Loaded: loaded (%s; %s; preset: enabled)\n     Active: %s (%s)\n' "$dot" "$u" "$(describe "$u")" "$(unit_file "$u" || echo "/lib/systemd/system/$u")" "$(file_state "$u")" "$s" "$sub"
    p=$(pid_of "$u") && [ "$p" != 0 ] && printf '   Main PID: %s (%s)\n' "$p" "$(cat "/proc/$p/comm" 2>/dev/null)"
    [ -s "$RUN/log/$u" ] && { echo; tail -n 10 "$RUN/log/$u"; }
    [ "$s" = active ] || code=3
  done
  exit $code ;;
show)
  [ -n "$words" ] || words=" -"
  for u in $words; do
    s=$(state_of "$u"); p=$(pid_of "$u" || echo 0); active "$u" || p=0
    unit_known "$u" && load=loaded || load=not-found; masked "$u" && load=masked
    all=$(printf 'Id=%s\nNames=%s\nDescription=%s\nLoadState=%s\nActiveState=%s\nSubState=%s\nUnitFileState=%s\nMainPID=%s\nExecMainPID=%s\nExecMainStatus=%s\nResult=%s\nNRestarts=0\nType=simple\nFragmentPath=%s\nMemoryCurrent=4194304\nActiveEnterTimestamp=%s\nControlGroup=/system.slice/%s\n' \
      "$u" "$u" "$(describe "$u")" "$load" "$s" "$(sub_of "$s" "$u")" "$([ $load = loaded ] && file_state "$u")" "$p" "$p" "$([ "$s" = failed ] && echo 1 || echo 0)" "$([ "$s" = failed ] && echo exit-code || echo success)" "$(unit_file "$u" || { [ $load = loaded ] && echo "/lib/systemd/system/$u"; })" "$(date)" "$u")
    if [ -n "$props" ]; then
      for w in $(echo "$props" | tr , ' '); do l=$(printf '%s\n' "$all" | grep "^$w="); if [ -n "$value" ]; then echo "${l#*=}"; elif [ -n "$l" ]; then echo "$l"; fi; done
    else printf '%s\n' "$all"; fi
  done ;;
list-units)
  [ -n "$legend" ] && echo "  UNIT LOAD ACTIVE SUB DESCRIPTION"
  n=0
  for u in $(known); do
    [ -z "$type" ] || case $u in *."$type") ;; *) continue ;; esac
    [ -z "${raw-}" ] || { hit=; for g in $raw; do case $u in $g | "$g.service") hit=1 ;; esac; done; [ -n "$hit" ] || continue; }
    s=$(state_of "$u"); sub=$(sub_of "$s" "$u")
    if [ -n "$state" ]; then case ",$state," in *",$s,"* | *",$sub,"*) ;; *) continue ;; esac; elif [ -z "$all" ] && [ "$s" = inactive ]; then continue; fi
    n=$((n + 1))
    [ "$s" = failed ] && dot='●' || dot=' '
    [ -n "$legend" ] || dot=; 
    printf '%s%-28s loaded %-8s %-8s %s\n' "${dot:+$dot }" "$u" "$s" "$sub" "$(describe "$u")"
  done
  [ -z "$legend" ] || { echo; echo "$n loaded units listed."; } ;;
list-unit-files)
  [ -n "$legend" ] && echo "UNIT FILE STATE PRESET"
  for u in $(known); do [ -z "$type" ] || case $u in *."$type") ;; *) continue ;; esac
    [ -z "${raw-}" ] || { hit=; for g in $raw; do case $u in $g | "$g.service") hit=1 ;; esac; done; [ -n "$hit" ] || continue; }
    printf '%-28s %-10s enabled\n' "$u" "$(file_state "$u")"; done ;;
list-timers | list-sockets | list-jobs) echo "0 listed." ;;
cat) for u in $words; do f=$(unit_file "$u") || { p=$(unit_package "$u") && { printf '# /lib/systemd/system/%s\n[Unit]\nDescription=%s\n\n[Service]\nExecStart=/usr/sbin/%s\n\n[Install]\nWantedBy=multi-user.target\n' "$u" "$p" "${u%.service}"; continue; }; echo "No files found for $u." >&2; exit 1; }; echo "# $f"; cat "$f"; done ;;
get-default) echo multi-user.target ;;
is-system-running) for f in "$RUN"/failed.*; do [ -e "$f" ] && { echo degraded; exit 1; }; done; echo running ;;
reset-failed) rm -f "$RUN"/failed.* ;;
poweroff | halt | reboot) exec "$command" ;;
boot) for l in /etc/systemd/system/*.wants/*.service; do [ -h "$l" ] && start_unit "${l##*/}" >/dev/null 2>&1; done; : > "$RUN/booted" ;;
daemon-reload | daemon-reexec | set-default | isolate | import-environment | set-environment | show-environment | log-level) ;;
*) echo "Unknown command verb $command." >&2; exit 1 ;;
esac
exit 0
