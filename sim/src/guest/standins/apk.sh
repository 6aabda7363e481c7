#!/bin/sh
. /usr/lib/gantry-sim/lib.sh
command= words=
while [ $# -gt 0 ]; do
  case $1 in
  -t | --virtual | -X | --repository) [ "$command" = add ] && shift || shift ;;
  -e | --installed) e=1 ;;
  -*) ;;
  *) if [ -z "$command" ]; then command=$1; else words="$words $1"; fi ;;
  esac
  shift
done
case $command in
update) echo "OK: 25000 distinct packages available" ;;
upgrade | fix | cache) echo "OK: 100 MiB in 60 packages" ;;
add)
  bad=
  for p in $words; do p=${p%%[=<>~@]*}; plausible "$p" || bad="$bad $p"; done
  if [ -n "$bad" ]; then echo "ERROR: unable to select packages:" >&2; for p in $bad; do echo "  $p (no such package):" >&2; echo "    required by: world[$p]" >&2; done; exit 1; fi
  for word in $words; do p=${word%%[=<>~@]*}; installed "$p" || { echo "(1/1) Installing $p ($(version_of "$p"))"; install_package "$p"; p=${word%%[=<>~@]*}; }; grep -qx "$p" /etc/apk/world 2>/dev/null || echo "$p" >> /etc/apk/world; done
  echo "OK: 100 MiB in 61 packages" ;;
del) for p in $words; do installed "$p" && remove_package "$p"; done; echo "OK: 99 MiB in 60 packages" ;;
info) [ -n "$words" ] || { for f in "$PKGS"/*; do echo "${f##*/}"; done; exit 0; }; for p in $words; do installed "$p" || exit 1; echo "$p-$(version_of "$p")"; done ;;
--version | version) echo "apk-tools 2.14.9" ;;
*) exit 1 ;;
esac
