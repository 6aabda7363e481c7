#!/bin/sh
# chown, chgrp, stat. A guest that an ordinary user runs has no ids but root's: there owners are noted, and shown by stat.
. /usr/lib/gantry-sim/lib.sh
NOTES=/var/lib/sim/owners/list
several() { awk '{ n += $3 } END { exit !(n > 1) }' /proc/self/uid_map; }
if [ "$me" = stat ]; then
  several || [ ! -s $NOTES ] && exec "$SIM/real/stat" "$@"
  format= files= f=
  for a; do case $f in 1) format=$a f=; continue ;; esac; case $a in -c | --format | --printf) f=1 ;; -c*) format=${a#-c} ;; --format=*) format=${a#*=} ;; -*) ;; *) files=$a ;; esac; done
  p=$(realpath -s "$files" 2>/dev/null)
  owner=$(awk -F'\t' -v p="$p" '$1 == p || ($3 == "R" && index(p, $1 "/") == 1) { o = $2 } END { print o }' $NOTES)
  [ -n "$owner" ] && [ -n "$format" ] || exec "$SIM/real/stat" "$@"
  u=${owner%%:*} g=${owner#*:}
  name() { awk -F: -v i="$1" '$1 == i || $3 == i { print $1; exit }' "$2" | grep . || echo "$1"; }
  number() { awk -F: -v i="$1" '$1 == i || $3 == i { print $3; exit }' "$2" | grep . || echo "$1"; }
  format=$(printf '%s' "$format" | sed "s/%U/$(name "$u" /etc/passwd)/g; s/%u/$(number "$u" /etc/passwd)/g; s/%G/$(name "${g:-$u}" /etc/group)/g; s/%g/$(number "${g:-$u}" /etc/group)/g")
  exec "$SIM/real/stat" -c "$format" "$files"
fi
if several; then
  said=$("$SIM/real/$me" "$@" 2>&1) && { [ -z "$said" ] || echo "$said"; exit 0; }
  # The files of this machine's own userland keep their owner.
  rest=$(printf '%s\n' "$said" | grep -v -e "changing \(ownership\|group\) of '/usr/")
  [ -z "$rest" ] && exit 0
  printf '%s\n' "$said" >&2
  exit 1
fi
deep=- who= first=1 code=0 reference=
for a; do
  case $a in
  -R | --recursive | -*R*) deep=R ;;
  --reference=*) reference=1 first= ;;
  -*) ;;
  *)
    if [ -n "$first" ]; then
      first= who=$a
      [ "$me" = chgrp ] && who=root:$a
      u=${who%%:*} g=; case $who in *:*) g=${who#*:} ;; esac
      for pair in "passwd $u" "group $g"; do
        n=${pair#* }; [ "$n" = "$pair" ] && continue
        case $n in '' | *[!0-9]*) [ -z "$n" ] || grep -q "^$n:" "/etc/${pair%% *}" || { echo "$me: invalid user: '$who'" >&2; exit 1; } ;; esac
      done
      case $who in *:) who=$u:$u ;; *:*) ;; *) who=$u:$u ;; esac
    elif [ -e "$a" ] || [ -h "$a" ]; then printf '%s\t%s\t%s\n' "$(realpath -s "$a")" "$who" $deep >> $NOTES
    else echo "$me: cannot access '$a': No such file or directory" >&2; code=1; fi ;;
  esac
done
exit $code
