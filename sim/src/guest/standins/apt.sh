#!/bin/sh
# apt-get, apt, apt-cache, apt-mark …
. /usr/lib/gantry-sim/lib.sh
LOCK=/var/lib/dpkg/lock-frontend
command= quiet= yes= purge= wait=0 words= simulate= only_upgrade=
while [ $# -gt 0 ]; do
  case $1 in
  -q | -qq | --quiet | -q=*) quiet=$quiet${1#-} ;;
  -y | --yes | --assume-yes | -yq | -yqq | -qy | -qqy) yes=1 ;;
  -s | --simulate | --dry-run | --just-print) simulate=1 ;;
  --purge) purge=1 ;;
  --only-upgrade) only_upgrade=1 ;;
  -o | -t | -c | --option | --target-release | --config-file) [ "${2#DPkg::Lock::Timeout=}" != "$2" ] && wait=${2#*=}; shift ;;
  -oDPkg::Lock::Timeout=*) wait=${1#*=} ;;
  -v | --version) echo "apt 2.6.1 (amd64)"; exit 0 ;;
  -*) ;;
  *) if [ -z "$command" ]; then command=$1; else words="$words $1"; fi ;;
  esac
  shift
done
say() { [ -n "$quiet" ] || echo "$@"; }
locked() {
  exec 9>>"$LOCK"
  if [ "$wait" -gt 0 ] 2>/dev/null; then flock -w "$wait" 9; else flock -n 9; fi && return 0
  holder=$(pgrep -o -x unattended-upgr || pgrep -o flock || echo 1)
  echo "E: Could not get lock $LOCK. It is held by process $holder (unattended-upgr)" >&2
  echo "N: Be aware that removing the lock file is not a solution and may break your system." >&2
  echo "E: Unable to acquire the dpkg frontend lock ($LOCK), is another process using it?" >&2
  exit 100
}
reading() { say "Reading package lists..."; say "Building dependency tree..."; say "Reading state information..."; }
sources() { cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | sed -n 's/^deb\(-src\)\{0,1\} \(\[[^]]*\] \)\{0,1\}\([^ ]*\) \([^ ]*\).*/\3 \4/p'; sed -n 's/^URIs: *//p' /etc/apt/sources.list.d/*.sources 2>/dev/null; }
case $me in
apt-cache)
  case $command in
  policy) for p in $words; do plausible "$p" || continue; installed "$p" && i=$(version_of "$p") || i="(none)"; printf '%s:\n  Installed: %s\n  Candidate: %s\n' "$p" "$i" "$(version_of "$p")"; done ;;
  show) for p in $words; do plausible "$p" || { echo "N: Unable to locate package $p" >&2; echo "E: No packages found" >&2; exit 100; }; printf 'Package: %s\nVersion: %s\nArchitecture: amd64\n' "$p" "$(version_of "$p")"; done ;;
  search) awk '!/^#/ { print $1 " - " $1 }' $TABLE | grep -- "${words# }" ;;
  madison) for p in $words; do echo " $p | $(version_of "$p") | http://deb.debian.org/debian stable/main amd64 Packages"; done ;;
  esac
  exit 0 ;;
apt-mark | apt-key | apt-config | add-apt-repository) [ "$me" = apt-mark ] && for p in $words; do echo "$p set to ${command}."; done; exit 0 ;;
esac
[ "$me" = apt ] && [ ! -t 1 ] && { echo >&2; echo "WARNING: apt does not have a stable CLI interface. Use with caution in scripts." >&2; echo >&2; }
case $command in
update)
  locked
  n=1
  sources | sort -u | while read -r uri suite; do say "Hit:$n $uri $suite InRelease"; n=$((n + 1)); done
  mkdir -p /var/lib/apt/lists; : > /var/lib/apt/lists/lock
  say "Reading package lists..."
  [ "$me" = apt ] && say "All packages are up to date."
  exit 0 ;;
upgrade | dist-upgrade | full-upgrade | autoremove | autopurge)
  locked; reading; echo "0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded."; exit 0 ;;
clean | autoclean | check | '') exit 0 ;;
install | reinstall)
  locked; reading
  new= bad=0
  for word in $words; do
    case $word in
    *.deb) [ -e "$word" ] || { echo "E: Unsupported file $word given on commandline" >&2; bad=100; continue; }; p=${word##*/}; p=${p%%_*}; p=${p%.deb} ;;
    *-) continue ;;
    *) p=${word%%=*}; p=${p%%/*}; p=${p%%:*}; p=${p%+} ;;
    esac
    plausible "$p" || { echo "E: Unable to locate package $p" >&2; bad=100; continue; }
    if installed "$p"; then echo "$p is already the newest version ($(version_of "$p"))."; [ -e "$PKGS/$p" ] || version_of "$p" > "$PKGS/$p"; else case " $new " in *" $p "*) ;; *) new="$new $p" ;; esac; fi
  done
  [ $bad = 0 ] || exit $bad
  [ -n "$only_upgrade" ] && new=
  set -- $new
  if [ $# -gt 0 ]; then
    if [ -z "$yes$simulate" ] && [ ! -t 0 ] && ! { read -r a && case $a in [Yy]*) true ;; *) false ;; esac; } 2>/dev/null && [ "$#" -gt 1 ]; then echo "Abort."; exit 1; fi
    echo "The following NEW packages will be installed:"; echo " $new"
  fi
  echo "0 upgraded, $# newly installed, 0 to remove and 0 not upgraded."
  [ -n "$simulate" ] && { for p; do echo "Inst $p ($(version_of "$p") stable [amd64])"; done; exit 0; }
  n=1
  for p; do
    say "Get:$n http://deb.debian.org/debian stable/main amd64 $p amd64 $(version_of "$p")"; n=$((n + 1))
  done
  for p; do
    say "Selecting previously unselected package $p."
    say "Unpacking $p ($(version_of "$p")) ..."
  done
  for p; do say "Setting up $p ($(version_of "$p")) ..."; install_package "$p" 9>&- || { echo "E: Sub-process /usr/bin/dpkg returned an error code (1)" >&2; exit 100; }; done
  mkdir -p /var/log/apt; [ $# = 0 ] || printf 'Start-Date: %s\nCommandline: %s install%s\nInstall:%s\n\n' "$(date '+%F  %T')" "$me" "$words" "$new" >> /var/log/apt/history.log
  exit 0 ;;
remove | purge)
  locked; reading
  gone=
  for p in $words; do
    plausible "$p" || { echo "E: Unable to locate package $p" >&2; exit 100; }
    if installed "$p"; then gone="$gone $p"; else echo "Package '$p' is not installed, so not removed"; fi
  done
  set -- $gone
  echo "0 upgraded, 0 newly installed, $# to remove and 0 not upgraded."
  for p; do echo "Removing $p ($(version_of "$p")) ..."; remove_package "$p"; done
  exit 0 ;;
list) for f in $PKGS/*; do p=${f##*/}; case $p in *.removed | '*') ;; *) echo "$p/stable,now $(cat "$f") amd64 [installed]" ;; esac; done; exit 0 ;;
show) exec apt-cache show $words ;;
search) exec apt-cache search $words ;;
policy) exec apt-cache policy $words ;;
download | source | build-dep | changelog | satisfy) exit 0 ;;
*) echo "E: Invalid operation $command" >&2; exit 100 ;;
esac
