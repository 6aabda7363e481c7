#!/bin/sh
# Accounts, in the guest's own files; becoming another user as far as the sandbox has other users
. /usr/lib/gantry-sim/lib.sh
uid_of() { awk -F: -v n="$1" '$1 == n || $3 == n { print $3; exit }' /etc/passwd; }
gid_of() { awk -F: -v n="$1" '$1 == n || $3 == n { print $3; exit }' /etc/group; }
home_of() { awk -F: -v n="$1" '$1 == n { print $6; exit }' /etc/passwd; }
free_id() { awk -F: -v lo="$2" -v hi="$3" '$3 >= lo && $3 < hi { taken[$3] = 1 } END { for (i = lo; i < hi; i++) if (!(i in taken)) { print i; exit } }' "$1"; }
ids() { awk '{ n += $3 } END { exit !(n > 1) }' /proc/self/uid_map; }
edit() { sed "$1" "$2" > "$2.new" && cat "$2.new" > "$2" && rm -f "$2.new"; }
join() { for g in $(echo "$2" | tr , ' '); do
  [ -n "$(gid_of "$g")" ] || { echo "$me: group '$g' does not exist" >&2; return 6; }
  awk -F: -v OFS=: -v g="$g" -v u="$1" '$1 == g { n = split($4, m, ","); for (i = 1; i <= n; i++) if (m[i] == u) { print; next } $4 = ($4 == "" ? u : $4 "," u) } { print }' /etc/group > /etc/group.new && cat /etc/group.new > /etc/group && rm -f /etc/group.new
done; }
group_add() { [ -n "$(gid_of "$1")" ] && return 9; echo "$1:x:${2:-$(free_id /etc/group "${3:-1000}" 60000)}:" >> /etc/group; }
seal() { s=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n'); printf '$sim$%s$%s' "$s" "$(printf '%s%s' "$s" "$1" | sha256sum | cut -c1-64)"; }
set_password() { h=$(seal "$2"); awk -F: -v OFS=: -v u="$1" -v h="$h" '$1 == u { $2 = h } { print }' /etc/shadow > /etc/shadow.new && cat /etc/shadow.new > /etc/shadow && rm -f /etc/shadow.new; }
account() { # name uid gid comment home shell make_home
  echo "$1:x:$2:$3:$4:$5:$6" >> /etc/passwd
  echo "$1:!:20000:0:99999:7:::" >> /etc/shadow
  if [ -n "$7" ]; then
    [ -d "$5" ] || { mkdir -p "$5" && cp -a /etc/skel/. "$5/" 2>/dev/null; chmod 755 "$5"; }
    chown -R "$2:$3" "$5" 2>/dev/null
  fi
}
as() { # user, login, then the command
  u=$1 login=$2; shift 2
  id=$(uid_of "$u"); [ -n "$id" ] || { echo "$me: user $u does not exist or the user entry does not contain all the required fields" >&2; exit 1; }
  u=$(awk -F: -v i="$id" '$3 == i { print $1; exit }' /etc/passwd)
  gid=$(awk -F: -v n="$u" '$1 == n { print $4; exit }' /etc/passwd)
  home=$(home_of "$u")
  if [ -n "$login" ] || [ -n "${set_home-1}" ]; then HOME=$home; export HOME; fi
  USER=$u LOGNAME=$u; export USER LOGNAME
  [ -n "$login" ] && { cd "$home" 2>/dev/null || cd /; }
  if ids && [ "$id" != 0 ]; then exec setpriv --reuid "$id" --regid "$gid" --init-groups --inh-caps=-all -- "$@"; fi
  exec "$@"
}
case $me in
useradd | adduser | userdel | deluser | addgroup | groupadd | usermod)
  exec 9>>/etc/.pwd.lock; flock 9 ;;
esac
case $me in
useradd | adduser)
  name= uid= gid= groups= home= shell= comment= system= make= own=1 extra= exists_ok=
  [ "$me" = adduser ] && make=1 shell=/bin/bash
  while [ $# -gt 0 ]; do
    case $1 in
    -m | --create-home) make=1 ;;
    -M | --no-create-home | -H) make= ;;
    -r | --system | -S) system=1; [ "$me" = adduser ] && { own=; [ "$shell" = /bin/bash ] && shell=/usr/sbin/nologin; } ;;
    -N | --no-user-group) own= ;;
    -U | --user-group | --group) own=1 ;;
    -d | --home-dir | --home | -h) home=$2; shift ;;
    -s | --shell) shell=$2; shift ;;
    -u | --uid) uid=$2; shift ;;
    -g | --gid | --ingroup) gid=$2; own=; shift ;;
    -G | --groups) if [ "$me" = useradd ]; then groups=$2; else own=; gid=$2; fi; shift ;;
    -c | --comment | --gecos) comment=$2; shift ;;
    -p | --password | -k | -e | -f | -K | -b) shift ;;
    --*=*) case $1 in --home*) home=${1#*=} ;; --shell=*) shell=${1#*=} ;; --uid=*) uid=${1#*=} ;; --gid=*) gid=${1#*=} own= ;; --groups=*) groups=${1#*=} ;; esac ;;
    -*) ;;
    *) if [ -z "$name" ]; then name=$1; else extra=$1; fi ;;
    esac
    shift
  done
  [ -n "$name" ] || { echo "Usage: $me [options] LOGIN" >&2; exit 2; }
  if [ -n "$extra" ]; then join "$name" "$extra"; exit; fi
  printf '%s' "$name" | grep -Eq '^[a-z_][a-z0-9_.-]*$' || { echo "$me: invalid user name '$name'" >&2; exit 3; }
  if [ -n "$(awk -F: -v n="$name" '$1 == n' /etc/passwd)" ]; then
    if [ "$me" = adduser ]; then [ -n "$system" ] && { echo "The system user '$name' already exists. Exiting." >&2; exit 0; }; echo "fatal: The user '$name' already exists." >&2; exit 1; fi
    echo "useradd: user '$name' already exists" >&2; exit 9
  fi
  [ -n "$system" ] && low=100 high=999 || { low=1000; high=60000; }
  [ -n "$uid" ] || uid=$(free_id /etc/passwd $low $high)
  if [ -n "$gid" ]; then g=$(gid_of "$gid"); [ -n "$g" ] || { echo "$me: group '$gid' does not exist" >&2; exit 6; }
  elif [ -n "$own" ]; then g=$(gid_of "$name"); [ -n "$g" ] || { case " $(cut -d: -f3 /etc/group | tr '\n' ' ') " in *" $uid "*) g=$(free_id /etc/group $low $high) ;; *) g=$uid ;; esac; group_add "$name" "$g"; }
  else g=$([ -n "$system" ] && echo 65534 || echo 100); fi
  account "$name" "$uid" "$g" "$comment" "${home:-/home/$name}" "${shell:-/bin/sh}" "$make"
  [ -z "$groups" ] || join "$name" "$groups" ;;
groupadd | addgroup)
  name= gid= force= low=1000 extra=
  while [ $# -gt 0 ]; do case $1 in -g | --gid) gid=$2; shift ;; -f | --force) force=1 ;; -r | --system | -S) low=100 ;; -*) ;; *) if [ -z "$name" ]; then name=$1; else extra=$1; fi ;; esac; shift; done
  [ -n "$extra" ] && { join "$name" "$extra"; exit; }
  group_add "$name" "$gid" $low && exit 0
  [ -n "$force" ] && exit 0
  echo "$me: group '$name' already exists" >&2; exit 9 ;;
groupdel) edit "/^$1:/d" /etc/group ;;
usermod)
  name= append= groups= lock=
  while [ $# -gt 0 ]; do
    case $1 in
    -aG | -Ga) groups=$2; shift ;;
    -a | --append | -m) ;;
    -G | --groups) groups=$2; shift ;;
    -s | --shell) shell=$2; shift ;;
    -d | --home) home=$2; shift ;;
    -l | -u | -g | -c | -p | -e | -f) shift ;;
    -L | --lock) lock=1 ;;
    -U | --unlock) ;;
    -*) ;;
    *) name=$1 ;;
    esac
    shift
  done
  [ -n "$(uid_of "$name")" ] || { echo "usermod: user '$name' does not exist" >&2; exit 6; }
  [ -z "${shell-}" ] || edit "s|^\($name:.*:\)[^:]*$|\1$shell|" /etc/passwd
  [ -z "${home-}" ] || edit "s|^\($name:[^:]*:[^:]*:[^:]*:[^:]*:\)[^:]*|\1$home|" /etc/passwd
  [ -z "$lock" ] || edit "s|^$name:|$name:!|" /etc/shadow
  [ -z "$groups" ] || join "$name" "$groups" ;;
gpasswd) [ "${1-}" = -a ] && join "$2" "$3"; [ "${1-}" = -d ] && edit "/^$3:/s/\(:\|,\)$2\(,\|$\)/\1/" /etc/group; exit 0 ;;
userdel | deluser)
  remove= name= extra=
  for a; do case $a in -r | --remove | --remove-home) remove=1 ;; -*) ;; *) if [ -z "$name" ]; then name=$a; else extra=$a; fi ;; esac; done
  [ -n "$(uid_of "$name")" ] || { echo "$me: user '$name' does not exist" >&2; exit 6; }
  [ -n "$extra" ] && { edit "/^$extra:/s/\(:\|,\)$name\(,\|$\)/\1/" /etc/group; exit; }
  home=$(home_of "$name")
  for f in passwd shadow group; do edit "/^$name:/d" /etc/$f; done
  [ -z "$remove" ] || rm -rf "$home" ;;
chsh) while [ $# -gt 0 ]; do case $1 in -s) shell=$2; shift ;; *) name=$1 ;; esac; shift; done; edit "s|^\(${name:-root}:.*:\)[^:]*$|\1$shell|" /etc/passwd ;;
chpasswd)
  code=0 n=0
  while IFS=: read -r user password; do
    n=$((n + 1))
    [ -n "$user" ] || continue
    if [ -n "$(uid_of "$user")" ]; then set_password "$user" "$password"; else echo "chpasswd: line $n: user '$user' does not exist" >&2; echo "chpasswd: error detected, changes ignored" >&2; code=1; fi
  done
  exit $code ;;
passwd)
  user=root
  for a; do case $a in -*) flag=$a ;; *) user=$a ;; esac; done
  [ -n "$(uid_of "$user")" ] || { echo "passwd: user '$user' does not exist" >&2; exit 1; }
  case ${flag-} in
  -l | --lock) edit "s|^$user:!*|$user:!|" /etc/shadow ;;
  -u | --unlock) edit "s|^$user:!*|$user:|" /etc/shadow ;;
  -d | --delete) edit "s|^$user:[^:]*|$user:|" /etc/shadow ;;
  -S | --status) echo "$user P 2024-10-04 0 99999 7 -1" ;;
  -e) ;;
  *) read -r a || { echo "passwd: Authentication token manipulation error" >&2; exit 10; }; read -r b; [ "$a" = "$b" ] || { echo "Sorry, passwords do not match." >&2; exit 10; }; set_password "$user" "$a"; echo "passwd: password updated successfully" ;;
  esac ;;
chage | visudo) exit 0 ;;
sudo)
  user=root login=
  while [ $# -gt 0 ]; do
    case $1 in
    -u | --user) user=$2; shift ;;
    --user=*) user=${1#*=} ;;
    -g | -p | -C | -h) shift ;;
    -i | --login) login=1 ;;
    -l | -v | -k | -K) exit 0 ;;
    -V) echo "Sudo version 1.9.13p3"; exit 0 ;;
    --) shift; break ;;
    -*) ;;
    *=*) export "$1" ;;
    *) break ;;
    esac
    shift
  done
  [ $# -gt 0 ] || set -- /bin/sh
  [ -n "$login" ] && [ $# -gt 0 ] && set -- /bin/sh -c "$*"
  as "$user" "$login" "$@" ;;
su | runuser)
  user= login= command= shell=/bin/sh direct=
  while [ $# -gt 0 ]; do
    case $1 in
    - | -l | --login) login=1 ;;
    -c | --command) command=$2; shift ;;
    --command=*) command=${1#*=} ;;
    -s | --shell) shell=$2; shift ;;
    -u | --user) user=$2; direct=1; shift ;;
    -g | -G) shift ;;
    -m | -p | -P | --preserve-environment | --pty) set_home= ;;
    --) shift; break ;;
    -*) ;;
    *) if [ -z "$user" ]; then user=$1; else break; fi ;;
    esac
    shift
  done
  user=${user:-root}
  if [ -n "$direct" ] && [ $# -gt 0 ]; then as "$user" "$login" "$@"; fi
  if [ -n "$command" ]; then as "$user" "$login" "$shell" -c "$command" "$@"; else as "$user" "$login" "$shell" "$@"; fi ;;
esac
