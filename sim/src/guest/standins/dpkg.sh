#!/bin/sh
# dpkg, dpkg-query, dpkg-reconfigure, debconf-set-selections
. /usr/lib/gantry-sim/lib.sh
everything() { { for p in $BASE; do echo "$p"; done; for f in "$PKGS"/*; do f=${f##*/}; case $f in *.removed | '*') ;; *) echo "$f" ;; esac; done; } | sort -u | while read -r p; do installed "$p" && echo "$p"; done; }
matching() { if [ $# = 0 ]; then everything; else for w; do w=${w%%:*}; case $w in *[*?]*) everything | while read -r p; do case $p in $w) echo "$p" ;; esac; done ;; *) echo "$w" ;; esac; done; fi; }
case $me in
dpkg-reconfigure) exit 0 ;;
debconf-set-selections) cat "$@" >> /var/lib/sim/debconf; exit 0 ;;
esac
action= format='${Package}\t${Version}\n'
while [ $# -gt 0 ]; do
  case $1 in
  -s | --status | -p) action=status ;;
  -l | --list) action=list ;;
  -L | --listfiles) action=files ;;
  -W | --show) action=show ;;
  -S | --search) action=search ;;
  -f) format=$2; shift ;;
  -f=* | --showformat=*) format=${1#*=} ;;
  -f?*) format=${1#-f} ;;
  --showformat) format=$2; shift ;;
  -i | --install) action=install ;;
  -r | --remove | -P | --purge) action=remove ;;
  --print-architecture) echo amd64; exit 0 ;;
  --print-foreign-architectures) exit 0 ;;
  --configure | --add-architecture | --clear-avail | --audit | -C) exit 0 ;;
  --get-selections) everything | while read -r p; do printf '%s\t\t\t\t\tinstall\n' "$p"; done; exit 0 ;;
  --compare-versions) case $3 in eq | =) [ "$2" = "$4" ]; exit ;; ne) [ "$2" != "$4" ]; exit ;; esac
    low=$(printf '%s\n%s\n' "$2" "$4" | sort -V | head -n 1)
    case $3 in lt | '<<') [ "$2" != "$4" ] && [ "$low" = "$2" ] ;; le | '<=') [ "$low" = "$2" ] ;; gt | '>>') [ "$2" != "$4" ] && [ "$low" = "$4" ] ;; ge | '>=') [ "$low" = "$4" ] ;; esac
    exit ;;
  --version) echo "Debian 'dpkg' package management program version 1.21.22 (amd64)."; exit 0 ;;
  --force* | --no-*) ;;
  -*) ;;
  *) break ;;
  esac
  shift
done
case $action in
status)
  code=0
  for p; do
    p=${p%%:*}
    if installed "$p"; then printf 'Package: %s\nStatus: install ok installed\nPriority: optional\nArchitecture: amd64\nVersion: %s\nDescription: %s\n' "$p" "$(version_of "$p")" "$p"
    else echo "dpkg-query: package '$p' is not installed and no information is available" >&2; echo "Use dpkg --info (= dpkg-deb --info) to examine archive files." >&2; code=1; fi
  done
  exit $code ;;
list)
  printf '%s\n' 'Desired=Unknown/Install/Remove/Purge/Hold' '| Status=Not/Inst/Conf-files/Unpacked/halF-conf/Half-inst/trig-aWait/Trig-pend' '|/ Err?=(none)/Reinst-required (Status,Err: uppercase=bad)' '||/ Name           Version      Architecture Description' '+++-==============-============-============-================================='
  found=1
  for p in $(matching "$@"); do if installed "$p"; then found=0; printf 'ii  %-14s %-12s amd64        %s\n' "$p" "$(version_of "$p")" "$p"; else echo "dpkg-query: no packages found matching $p" >&2; fi; done
  exit $found ;;
show)
  code=0
  for p in $(matching "$@"); do
    if installed "$p"; then
      v=$(version_of "$p")
      printf "$(printf '%s' "$format" | sed "s|\${\(binary:\)\{0,1\}Package}|$p|g; s|\${Version}|$v|g; s|\${Status}|install ok installed|g; s|\${db:Status-Abbrev}|ii |g; s|\${db:Status-Status}|installed|g; s|\${Architecture}|amd64|g; s|\${Installed-Size}|1024|g")"
    else echo "dpkg-query: no packages found matching $p" >&2; code=1; fi
  done
  exit $code ;;
files) for p; do installed "$p" || exit 1; for b in $(field "$p" 5 | tr , ' '); do echo "/usr/bin/$b"; done; done ;;
install) for f; do [ -e "$f" ] || { echo "dpkg: error: cannot access archive '$f': No such file or directory" >&2; exit 1; }; p=${f##*/}; p=${p%%_*}; install_package "${p%.deb}"; done ;;
remove) for p; do remove_package "$p"; done ;;
search) exit 1 ;;
*) echo "dpkg: error: need an action option" >&2; exit 2 ;;
esac
