#!/bin/sh
. /usr/lib/gantry-sim/lib.sh
if [ "$me" = rpm ]; then
  case $1 in -q) shift; c=0; for p; do if installed "$p"; then echo "$p-$(version_of "$p").x86_64"; else echo "package $p is not installed"; c=1; fi; done; exit $c ;; esac
  exit 0
fi
command= words=
for w; do case $w in -*) ;; *) if [ -z "$command" ]; then command=$w; else words="$words $w"; fi ;; esac; done
case $command in
install)
  for p in $words; do plausible "$p" || { echo "No match for argument: $p" >&2; echo "Error: Unable to find a match: $p" >&2; exit 1; }; done
  for p in $words; do if installed "$p"; then echo "Package $p-$(version_of "$p").x86_64 is already installed."; else echo "  Installing : $p-$(version_of "$p").x86_64"; install_package "$p"; fi; done
  echo "Complete!" ;;
remove | erase) for p in $words; do installed "$p" && remove_package "$p"; done; echo "Complete!" ;;
update | upgrade | makecache | clean | check-update) echo "Metadata cache created." ;;
list) for p in $words; do case $p in installed) ;; *) installed "$p" && echo "$p.x86_64 $(version_of "$p") @base" || { echo "Error: No matching Packages to list" >&2; exit 1; } ;; esac; done ;;
*) exit 0 ;;
esac
