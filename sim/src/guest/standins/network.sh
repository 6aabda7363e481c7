#!/bin/sh
# ping, git, nc, dig, host, nslookup where there is no network
. /usr/lib/gantry-sim/lib.sh
last=; for last; do :; done
case $me in
ping)
  case $last in localhost | 127.*) echo "PING $last (127.0.0.1) 56(84) bytes of data."; echo "1 packets transmitted, 1 received, 0% packet loss, time 0ms"; exit 0 ;; esac
  case $last in *[!0-9.]*) echo "ping: $last: Temporary failure in name resolution" >&2; exit 2 ;; *) echo "ping: connect: Network is unreachable" >&2; exit 2 ;; esac ;;
git)
  url=
  for a; do case $a in http://* | https://* | ssh://* | git@*) url=$a ;; esac; done
  for a; do case $a in clone | fetch | pull | push | ls-remote | submodule) remote=1; break ;; -*) ;; *) break ;; esac; done
  if [ -n "${remote-}" ] && [ -n "$url" ]; then
    host=${url#*://}; host=${host#*@}; host=${host%%[/:]*}
    [ "${1-}" = clone ] && { d=${url##*/}; echo "Cloning into '${d%.git}'..." >&2; }
    echo "fatal: unable to access '$url': Could not resolve host: $host" >&2
    exit 128
  fi
  [ -x "$SIM/real/git" ] && exec "$SIM/real/git" "$@"
  case ${1-} in --version | version) echo "git version 2.39.5" ;; esac
  exit 0 ;;
nc)
  host= port=
  for a; do case $a in -*) ;; *) if [ -z "$host" ]; then host=$a; else port=$a; fi ;; esac; done
  case $host in localhost | 127.*) grep -qs " $port\$" "$RUN"/ports/* && exit 0; ss -tln | grep -q ":$port " && exit 0 ;; esac
  exit 1 ;;
dig | host | nslookup) echo ";; communications error to 127.0.0.1#53: connection refused" >&2; exit 9 ;;
esac
