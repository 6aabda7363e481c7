# Shared by the stand-ins. State: /var/lib/sim (kept with the files), /run/sim (until the guest stops), and the guest's own files.
SIM=/usr/lib/gantry-sim
PKGS=/var/lib/sim/packages
RUN=/run/sim
TABLE=$SIM/packages.txt
me=${0##*/}
mkdir -p $PKGS $RUN/units $RUN/ports $RUN/bin $RUN/log 2>/dev/null

BASE=" adduser apt base-files bash ca-certificates coreutils cron dash debianutils diffutils dpkg e2fsprogs findutils gpgv grep gzip hostname ifupdown init iproute2 iputils-ping isc-dhcp-client kmod less libc6 libc-bin locales login logrotate mawk mount nano ncurses-base netbase openssh-client openssh-server openssl passwd perl-base procps readline-common sed sensible-utils systemd systemd-sysv tar tzdata udev util-linux vim-tiny wget whiptail zlib1g "

row() { awk -v n="$1" '$1 == n { print; found = 1; exit } END { exit !found }' $TABLE; }
field() { row "$1" | awk -v f="$2" '$f != "-" { print $f }'; }
version_of() {
  if [ -s "$PKGS/$1" ]; then cat "$PKGS/$1"; return; fi
  v=$(field "$1" 2)
  echo "${v:-1.0-1}"
}
installed() {
  [ -e "$PKGS/$1.removed" ] && return 1
  [ -e "$PKGS/$1" ] || case $BASE in *" $1 "*) true ;; *) false ;; esac
}
plausible() {
  case $1 in *nonexistent* | *does-not-exist* | *no-such*) return 1 ;; esac
  printf '%s' "$1" | grep -Eq '^[A-Za-z0-9][A-Za-z0-9+._-]+$'
}
note() { printf '%s %s %s[%s]: %s\n' "$(date '+%b %d %H:%M:%S')" "$(cat /proc/sys/kernel/hostname)" "$1" "${3:-1}" "$2" >> $RUN/journal; }

# Makes the programs of a package appear; what is there already stays.
unpack() {
  for b in $(field "$1" 5 | tr , ' '); do
    if [ -e "$SIM/dormant/$b" ]; then
      [ -e "/usr/bin/$b" ] || [ -e "/usr/sbin/$b" ] || cp "$SIM/dormant/$b" "/usr/bin/$b"
    elif ! command -v "$b" >/dev/null 2>&1; then
      cat > "/usr/bin/$b" << EOF
#!/bin/sh
# made by the simulator for the package $1
case \$1 in
-v | -V | --version | version | -version) echo "$b version: $b/$(version_of "$1" | sed 's/^[0-9]*://; s/[-+~].*//')" ;;
ping) echo PONG ;;
-t | configtest) echo "$b: configuration file test is successful" >&2 ;;
esac
exit 0
EOF
      chmod 755 "/usr/bin/$b"
    fi
  done
  case $1 in
  nginx*) mkdir -p /etc/nginx/sites-available /etc/nginx/sites-enabled /etc/nginx/conf.d /var/www/html /var/log/nginx
    [ -e /etc/nginx/nginx.conf ] || echo 'events {} http { include /etc/nginx/conf.d/*.conf; include /etc/nginx/sites-enabled/*; }' > /etc/nginx/nginx.conf
    [ -e /etc/nginx/sites-available/default ] || { echo 'server { listen 80 default_server; root /var/www/html; }' > /etc/nginx/sites-available/default; ln -sf ../sites-available/default /etc/nginx/sites-enabled/default; } ;;
  apache2) mkdir -p /etc/apache2/sites-available /etc/apache2/sites-enabled /etc/apache2/mods-enabled /var/www/html /var/log/apache2; [ -e /etc/apache2/ports.conf ] || echo 'Listen 80' > /etc/apache2/ports.conf ;;
  redis*) mkdir -p /etc/redis /var/lib/redis; [ -e /etc/redis/redis.conf ] || printf 'bind 127.0.0.1\nport 6379\n' > /etc/redis/redis.conf ;;
  postgresql*) mkdir -p /etc/postgresql/15/main /var/lib/postgresql; [ -e /etc/postgresql/15/main/postgresql.conf ] || echo "port = 5432" > /etc/postgresql/15/main/postgresql.conf; user_of postgres ;;
  docker*) mkdir -p /etc/docker /var/lib/docker; grep -q '^docker:' /etc/group || echo 'docker:x:995:' >> /etc/group ;;
  mariadb-server | mysql-server) mkdir -p /etc/mysql/mariadb.conf.d /var/lib/mysql; user_of mysql ;;
  grafana*) mkdir -p /etc/grafana; user_of grafana ;;
  esac
}
user_of() {
  grep -q "^$1:" /etc/passwd && return
  id=$(awk -F: '$3 >= 100 && $3 < 990 && $3 > m { m = $3 } END { print (m < 110 ? 110 : m + 1) }' /etc/passwd)
  echo "$1:x:$id:$id::/var/lib/$1:/bin/bash" >> /etc/passwd
  echo "$1:x:$id:" >> /etc/group
  echo "$1:*:20000:0:99999:7:::" >> /etc/shadow
}

# Units. A file in /etc or /usr is run as written; without one the package table says what there is.
unit() { case $1 in *.service | *.timer | *.socket | *.target | *.mount | *.path | *.slice) echo "$1" ;; *) echo "$1.service" ;; esac; }
unit_file() {
  t=$1
  case $1 in *@*) t="${1%%@*}@.${1##*.}" ;; esac
  for d in /etc/systemd/system /run/systemd/system /usr/local/lib/systemd/system /usr/lib/systemd/system; do
    for u in "$1" "$t"; do
      # A file of this machine's own /usr is not the guest's.
      case $d in /usr/lib/*) [ -e "/var/lib/sim/units/$u" ] || [ -O "$d/$u" ] || continue ;; esac
      [ -f "$d/$u" ] && { echo "$d/$u"; return 0; }
    done
  done
  return 1
}
unit_package() {
  n=${1%.service}
  awk -v n="$n" '$3 == n { print $1 }' $TABLE | while read -r p; do installed "$p" && { echo "$p"; break; }; done | grep .
}
alias_of() { case $1 in sshd.service) echo ssh.service ;; redis.service) echo redis-server.service ;; mysql.service) [ -e $PKGS/mariadb-server ] && echo mariadb.service || echo "$1" ;; *) echo "$1" ;; esac; }
unit_known() {
  case $1 in *.target | *.slice | systemd-*.service | dbus.service | systemd-*.socket) return 0 ;; esac
  unit_file "$1" >/dev/null || unit_package "$1" >/dev/null
}
masked() { [ "$(readlink "/etc/systemd/system/$1")" = /dev/null ]; }
pid_of() { cat "$RUN/units/$1" 2>/dev/null; }
active() {
  case $1 in systemd-journald.service | systemd-logind.service | dbus.service | multi-user.target | network-online.target | network.target | basic.target | default.target) return 0 ;; esac
  p=$(pid_of "$1") || return 1
  [ "$p" = 0 ] || kill -0 "$p" 2>/dev/null
}
enabled() { [ -h "/etc/systemd/system/multi-user.target.wants/$1" ] || [ -n "$(find /etc/systemd/system/*.wants -name "$1" 2>/dev/null)" ]; }
value() { sed -n "s/^[[:space:]]*$2=//p" "$1" | tail -n 1; }

ports_of() {
  case $1 in
  nginx.service) p=$(cat /etc/nginx/nginx.conf /etc/nginx/conf.d/*.conf /etc/nginx/sites-enabled/* 2>/dev/null | sed -n 's/#.*//; s/.*listen[[:space:]]\{1,\}\([^;]*\);.*/\1/p' | awk '{ print $1 }' | grep -v '^unix:\|^\[' | sort -u) ;;
  apache2.service) p=$(sed -n 's/^[[:space:]]*Listen[[:space:]]\{1,\}\([^ ]*\).*/\1/p' /etc/apache2/ports.conf 2>/dev/null) ;;
  redis-server.service) p=127.0.0.1:$(sed -n 's/^port //p' /etc/redis/redis.conf 2>/dev/null | tail -n 1); grep -q '^bind 0.0.0.0' /etc/redis/redis.conf 2>/dev/null && p=${p#*:}; [ "$p" = 127.0.0.1: ] && p=127.0.0.1:6379 ;;
  ssh.service) p=$(cat /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf 2>/dev/null | sed -n 's/^Port //p') ; p=${p:-22} ;;
  *) p= ;;
  esac
  [ -n "$p" ] || p=$(field "$(unit_package "$1")" 4 | tr , ' ')
  for one in $p; do case $one in *:*) echo "${one%:*} ${one##*:}" ;; *) echo "0.0.0.0 $one" ;; esac; done
}

start_unit() {
  u=$1
  active "$u" && return 0
  masked "$u" && { echo "Failed to start $u: Unit $u is masked." >&2; return 1; }
  rm -f "$RUN/failed.$u"
  if f=$(unit_file "$u"); then start_file "$u" "$f"; return; fi
  n=${u%.service}
  if [ "$n" = nginx ] && grep -qs 'simulate-broken' /etc/nginx/nginx.conf /etc/nginx/sites-enabled/* /etc/nginx/conf.d/*; then start_failed "$u"; return 1; fi
  [ -e "$RUN/bin/$n" ] || ln -s "$(command -v sleep)" "$RUN/bin/$n"
  setsid "$RUN/bin/$n" 2147483 </dev/null >/dev/null 2>&1 &
  echo $! > "$RUN/units/$u"
  ports_of "$u" > "$RUN/ports/$u"
  note systemd "Started $u."
}
start_failed() {
  : > "$RUN/failed.$1"
  rm -f "$RUN/units/$1" "$RUN/ports/$1"
  note systemd "$1: Failed with result 'exit-code'."
  echo "Job for $1 failed because the control process exited with error code." >&2
  echo "See \"systemctl status $1\" and \"journalctl -xeu $1\" for details." >&2
}
start_file() {
  u=$1 f=$2
  i=${u#*@}; i=${i%.*}
  kind=$(value "$f" Type)
  wd=$(value "$f" WorkingDirectory); wd=${wd#-}
  as=$(value "$f" User)
  {
    echo 'set -a'
    sed -n 's/^[[:space:]]*EnvironmentFile=-\{0,1\}//p' "$f" | while read -r e; do echo "[ -r $e ] && . $e"; done
    sed -n 's/^[[:space:]]*Environment=//p' "$f" | sed 's/^"\(.*\)"$/\1/; s/^\([A-Za-z_0-9]*\)=\(.*\)$/\1="\2"/'
    echo 'set +a'
    [ -n "$wd" ] && [ "$wd" != '~' ] && echo "cd '$wd' || exit 200"
  } > "$RUN/env.$u"
  lines() { sed -e ':a' -e '/\\$/N; s/\\\n/ /; ta' "$f" | sed -n "s/^[[:space:]]*$1=[-@+!:]*//p" | sed "s/%i/$i/g; s/%I/$i/g; s/%H/$(cat /proc/sys/kernel/hostname)/g; s/%n/$u/g; s/\\\$MAINPID/0/g"; }
  wrap() { if [ -n "$as" ] && [ "$as" != root ]; then printf 'exec runuser -u %s -- /bin/sh -c %s\n' "$as" "'$(cat "$RUN/env.$u" | sed "s/'/'\\\\''/g"); $(printf %s "$1" | sed "s/'/'\\\\''/g")'"; else cat "$RUN/env.$u"; printf '%s\n' "$1"; fi; }
  lines ExecStartPre > "$RUN/pre.$u"
  while read -r l; do wrap "$l" > "$RUN/do.$u"; sh "$RUN/do.$u" </dev/null >> "$RUN/log/$u" 2>&1 || { start_failed "$u"; return 1; }; done < "$RUN/pre.$u"
  lines ExecStart > "$RUN/start.$u"
  case $kind in
  oneshot | forking)
    while read -r l; do
      wrap "$l" > "$RUN/do.$u"
      sh "$RUN/do.$u" </dev/null >> "$RUN/log/$u" 2>&1 || { note "${u%.service}" "exited with $?"; start_failed "$u"; return 1; }
    done < "$RUN/start.$u"
    if [ "$kind" = forking ] || grep -qi '^RemainAfterExit=\(yes\|true\|1\)' "$f"; then echo 0 > "$RUN/units/$u"; fi
    note systemd "Finished $u." ;;
  *)
    case $u in *.timer | *.socket | *.target | *.path | *.mount) echo 0 > "$RUN/units/$u"; return 0 ;; esac
    l=$(tail -n 1 "$RUN/start.$u")
    set -f; set -- $l; set +f
    [ -n "${1-}" ] || { echo "Failed to start $u: Unit $u has a bad unit file setting." >&2; return 1; }
    if ! command -v "$1" >/dev/null 2>&1; then
      # As systemd: a simple service is started before its program is, and fails a moment later.
      note systemd "$u: Failed to locate executable $1: No such file or directory"
      : > "$RUN/failed.$u"
      [ "$kind" = simple ] || [ -z "$kind" ] || { start_failed "$u"; return 1; }
      return 0
    fi
    wrap "exec $l" > "$RUN/do.$u"
    setsid sh "$RUN/do.$u" </dev/null >> "$RUN/log/$u" 2>&1 &
    echo $! > "$RUN/units/$u"
    p=$(unit_package "$u") && [ -n "$p" ] && ports_of "$u" > "$RUN/ports/$u"
    note systemd "Started $u." ;;
  esac
  return 0
}
stop_unit() {
  u=$1
  rm -f "$RUN/failed.$u"
  p=$(pid_of "$u") || return 0
  if f=$(unit_file "$u"); then
    sed -n 's/^[[:space:]]*ExecStop=[-@+!:]*//p' "$f" | sed "s/\\\$MAINPID/$p/g" | while read -r l; do sh -c "$l" </dev/null >> "$RUN/log/$u" 2>&1; done
  fi
  if [ "$p" != 0 ]; then
    kill -TERM "-$p" 2>/dev/null || kill -TERM "$p" 2>/dev/null
    n=0
    while kill -0 "$p" 2>/dev/null && [ $n -lt 50 ]; do n=$((n + 1)); sleep 0.02; done
    kill -KILL "-$p" 2>/dev/null
  fi
  rm -f "$RUN/units/$u" "$RUN/ports/$u"
  note systemd "Stopped $u."
}
enable_unit() { mkdir -p /etc/systemd/system/multi-user.target.wants; ln -sf "$(unit_file "$1" || echo "/lib/systemd/system/$1")" "/etc/systemd/system/multi-user.target.wants/$1"; }
disable_unit() { find /etc/systemd/system -path '*.wants/*' -name "$1" -exec rm -f {} +; }

install_package() {
  rm -f "$PKGS/$1.removed"
  version_of "$1" > "$PKGS/.new" && mv "$PKGS/.new" "$PKGS/$1"
  unpack "$1"
  if [ -d /var/lib/dpkg ] && ! grep -qx "Package: $1" /var/lib/dpkg/status; then
    printf 'Package: %s\nStatus: install ok installed\nMaintainer: simulator\nArchitecture: amd64\nVersion: %s\nDescription: %s\n\n' "$1" "$(cat "$PKGS/$1")" "$1" >> /var/lib/dpkg/status
    echo "$(date '+%F %T') status installed $1:amd64 $(cat "$PKGS/$1")" >> /var/log/dpkg.log
  fi
  s=$(field "$1" 3)
  if [ -n "$s" ]; then
    s=$s.service
    if ! enabled "$s"; then enable_unit "$s"; echo "Created symlink /etc/systemd/system/multi-user.target.wants/$s -> /lib/systemd/system/$s."; fi
    [ -x /usr/sbin/policy-rc.d ] && ! /usr/sbin/policy-rc.d "$s" start && return 0
    start_unit "$s"
  fi
  return 0
}
remove_package() {
  s=$(field "$1" 3)
  if [ -n "$s" ]; then stop_unit "$s.service"; disable_unit "$s.service"; fi
  rm -f "$PKGS/$1"
  : > "$PKGS/$1.removed"
  for b in $(field "$1" 5 | tr , ' '); do
    if grep -qs 'made by the simulator' "/usr/bin/$b" || cmp -s "/usr/bin/$b" "$SIM/dormant/$b"; then rm -f "/usr/bin/$b"; fi
  done
  awk -v n="$1" 'BEGIN { RS = ""; ORS = "\n\n" } $0 !~ "(^|\n)Package: " n "\n"' /var/lib/dpkg/status > /var/lib/dpkg/status.new && mv /var/lib/dpkg/status.new /var/lib/dpkg/status
}
