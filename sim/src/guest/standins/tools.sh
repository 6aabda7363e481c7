#!/bin/sh
# docker, npm, pip … as far as can be without a network
. /usr/lib/gantry-sim/lib.sh
STORE=/var/lib/sim/tools
mkdir -p $STORE
shim() { [ -e "/usr/local/bin/$1" ] || { printf '#!/bin/sh\n# made by the simulator for %s\ncase $1 in -v | -V | --version | version) echo "1.0.0" ;; esac\nexit 0\n' "$1" > "/usr/local/bin/$1"; chmod 755 "/usr/local/bin/$1"; }; }
case $me in
npm | yarn | pnpm)
  command= global= words= prefix=
  for a; do case $a in -g | --global) global=1 ;; -v | --version) echo 9.2.0; exit 0 ;; -*) ;; *) if [ -z "$command" ]; then command=$a; else words="$words $a"; fi ;; esac; done
  case $command in
  install | i | add | ci | global)
    for w in $words; do n=${w##*/}; n=${n%@*}
      plausible "$n" || { echo "npm ERR! code E404" >&2; echo "npm ERR! 404 Not Found - GET https://registry.npmjs.org/$w - Not found" >&2; exit 1; }
      if [ -n "$global" ]; then echo "$w" >> $STORE/npm; shim "$n"; else mkdir -p "node_modules/$n"; fi
    done
    echo; echo "added $(echo $words | wc -w) packages in 1s" ;;
  ls | list) echo /usr/local/lib; for w in $words; do grep -q "^$w\(@\|\$\)" $STORE/npm 2>/dev/null || { echo '`-- (empty)'; exit 1; }; done; sed 's/^/+-- /' $STORE/npm 2>/dev/null ;;
  uninstall | remove | rm) for w in $words; do grep -v "^$w\$" $STORE/npm > $STORE/npm.new 2>/dev/null; mv $STORE/npm.new $STORE/npm; rm -f "/usr/local/bin/$w"; done ;;
  config | prefix | root | cache | run | init) ;;
  esac
  exit 0 ;;
npx) echo "npm ERR! network request to https://registry.npmjs.org failed, reason: getaddrinfo EAI_AGAIN registry.npmjs.org" >&2; exit 1 ;;
pip | pip3 | pipx)
  command= words= file=
  while [ $# -gt 0 ]; do case $1 in -r | --requirement) file=$2; shift ;; -V | --version) echo "pip 23.0.1 from /usr/lib/python3/dist-packages/pip (python 3.11)"; exit 0 ;; -i | -t | --target | --prefix) shift ;; -*) ;; *) if [ -z "$command" ]; then command=$1; else words="$words $1"; fi ;; esac; shift; done
  [ -z "$file" ] || words="$words $(sed 's/#.*//' "$file")"
  case $command in
  install)
    for w in $words; do n=${w%%[=<>~![]*}; n=${n##*/}
      plausible "$n" || { echo "ERROR: Could not find a version that satisfies the requirement $w (from versions: none)" >&2; echo "ERROR: No matching distribution found for $w" >&2; exit 1; }
      grep -qx "$n" $STORE/pip 2>/dev/null && { echo "Requirement already satisfied: $n"; continue; }
      echo "Collecting $n"; echo "$n" >> $STORE/pip; done_="${done_-} $n-1.0.0"; [ "$me" = pipx ] && shim "$n"
    done
    [ -z "${done_-}" ] || echo "Successfully installed$done_" ;;
  show) for w in $words; do grep -qix "$w" $STORE/pip 2>/dev/null || { echo "WARNING: Package(s) not found: $w" >&2; exit 1; }; printf 'Name: %s\nVersion: 1.0.0\n' "$w"; done ;;
  list | freeze) sed 's/$/==1.0.0/' $STORE/pip 2>/dev/null ;;
  uninstall) for w in $words; do grep -vx "$w" $STORE/pip > $STORE/pip.new; mv $STORE/pip.new $STORE/pip; done ;;
  esac
  exit 0 ;;
esac
# docker
case ${1-} in -v | --version) echo "Docker version 20.10.24+dfsg1, build 297e128"; exit 0 ;; esac
C=$STORE/docker
mkdir -p $C
if ! active docker.service; then
  case ${1-} in version | compose) [ "${1-}${2-}" = composeversion ] && { echo "Docker Compose version v2.29.7"; exit 0; } ;; esac
  echo "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?" >&2
  exit 1
fi
boot() { # name image ports…
  n=$1 i=$2; shift 2
  printf '%s\n' "$i" > "$C/$n"
  printf '%s\n' "$@" > "$C/$n.ports"
  echo 0 > "$RUN/units/docker-$n"
  : > "$RUN/ports/docker-$n"
  for p; do p=${p%/tcp}; case $p in *:*:*) echo "${p%%:*} $(echo "$p" | cut -d: -f2)" ;; *:*) echo "0.0.0.0 ${p%%:*}" ;; esac; done >> "$RUN/ports/docker-$n"
}
halt_it() { rm -f "$RUN/units/docker-$1" "$RUN/ports/docker-$1"; }
id_of() { printf '%s' "$1" | sha256sum | cut -c1-12; }
list() { for f in "$C"/*; do n=${f##*/}; case $n in *.ports | '*') ;; *) [ -n "$1" ] || [ -e "$RUN/units/docker-$n" ] && echo "$n" ;; esac; done; }
case ${1-} in
ps | container)
  all= quiet= format=
  while [ $# -gt 0 ]; do case $1 in -a | --all) all=1 ;; -q) quiet=1 ;; -aq | -qa) all=1 quiet=1 ;; --format) format=$2; shift ;; --format=*) format=${1#*=} ;; esac; shift; done
  [ -n "$quiet$format" ] || printf '%-15s%-20s%-10s%-18s%-24s%s\n' 'CONTAINER ID' IMAGE CREATED STATUS PORTS NAMES
  for n in $(list "$all"); do
    [ -e "$RUN/units/docker-$n" ] && s="Up 1 minute" || s="Exited (0)"
    ports=$(while read -r p; do [ -n "$p" ] && printf '0.0.0.0:%s->%s/tcp ' "${p%:*}" "${p##*:}"; done < "$C/$n.ports")
    if [ -n "$quiet" ]; then id_of "$n"; elif [ -n "$format" ]; then printf '%s\n' "$format" | sed "s|{{ *.Names *}}|$n|g; s|{{ *.Image *}}|$(cat "$C/$n")|g; s|{{ *.ID *}}|$(id_of "$n")|g; s|{{ *.Status *}}|$s|g; s|{{ *.Ports *}}|$ports|g; s|{{ *.State *}}|running|g; s|^table ||"
    else printf '%-15s%-20s%-10s%-18s%-24s%s\n' "$(id_of "$n")" "$(cat "$C/$n")" '1 minute' "$s" "$ports" "$n"; fi
  done ;;
info) printf 'Client:\n Context:    default\n\nServer:\n Containers: %s\n  Running: %s\n Server Version: 20.10.24+dfsg1\n Storage Driver: overlay2\n' "$(list 1 | wc -l)" "$(list | wc -l)" ;;
version) printf 'Client:\n Version:           20.10.24+dfsg1\nServer:\n Engine:\n  Version:          20.10.24+dfsg1\n' ;;
run | create)
  shift
  name= ports= image=
  while [ $# -gt 0 ]; do
    case $1 in
    --name) name=$2; shift ;;
    --name=*) name=${1#*=} ;;
    -p | --publish) ports="$ports $2"; shift ;;
    -p?*) ports="$ports ${1#-p}" ;;
    --publish=*) ports="$ports ${1#*=}" ;;
    -v | -e | --env | --volume | --network | --restart | -w | -u | --env-file | --mount | --hostname | -l | --label | --device | --cap-add) shift ;;
    -*) ;;
    *) image=$1; break ;;
    esac
    shift
  done
  name=${name:-$(echo "${image##*/}" | tr ':.' '__')}
  [ ! -e "$C/$name" ] || { echo "docker: Error response from daemon: Conflict. The container name \"/$name\" is already in use by container \"$(id_of "$name")\"." >&2; exit 125; }
  case $image in hello-world*) echo "Hello from Docker!"; exit 0 ;; esac
  boot "$name" "$image" $ports
  id_of "$name" ;;
start | restart) shift; for n; do [ -e "$C/$n" ] || { echo "Error: No such container: $n" >&2; exit 1; }; boot "$n" "$(cat "$C/$n")" $(cat "$C/$n.ports"); echo "$n"; done ;;
stop | kill) shift; for n; do [ -e "$C/$n" ] || { echo "Error: No such container: $n" >&2; exit 1; }; halt_it "$n"; echo "$n"; done ;;
rm) shift; for n; do case $n in -*) ;; *) halt_it "$n"; rm -f "$C/$n" "$C/$n.ports"; echo "$n" ;; esac; done ;;
compose)
  shift
  file=
  while [ $# -gt 0 ]; do case $1 in -f | --file) file=$2; shift ;; -p | --project-name | --env-file) shift ;; -*) ;; *) break ;; esac; shift; done
  [ -n "$file" ] || for f in compose.yaml compose.yml docker-compose.yml docker-compose.yaml; do [ -r "$f" ] && { file=$f; break; }; done
  case ${1-} in
  version) echo "Docker Compose version v2.29.7" ;;
  up | down | stop | ps | config)
    [ -r "$file" ] || { echo "no configuration file provided: not found" >&2; exit 14; }
    awk '/^services:/ { s = 1; next } /^[^ #]/ { s = 0 } s && /^  [A-Za-z0-9_-]+:/ { gsub(/[ :]/, ""); n = $0; print "service", n } s && /^ +image:/ { print "image", n, $2 } s && /^ +- *"?[0-9.:]*[0-9]+:[0-9]+/ { gsub(/[" -]/, ""); print "port", n, $0 }' "$file" > $STORE/compose
    for n in $(sed -n 's/^service //p' $STORE/compose); do
      case $1 in
      up) boot "$n" "$(sed -n "s/^image $n //p" $STORE/compose | grep . || echo "$n")" $(sed -n "s/^port $n //p" $STORE/compose); echo " Container $n  Started" >&2 ;;
      down) halt_it "$n"; rm -f "$C/$n" "$C/$n.ports"; echo " Container $n  Removed" >&2 ;;
      stop) halt_it "$n" ;;
      ps) [ -e "$RUN/units/docker-$n" ] && echo "$n running" ;;
      esac
    done ;;
  esac ;;
inspect) shift; for n; do case $n in -*) ;; *) [ -e "$C/$n" ] || { echo "Error: No such object: $n" >&2; exit 1; }; done_=1; printf '[{"Name":"/%s","State":{"Status":"%s","Running":%s}}]\n' "$n" "$([ -e "$RUN/units/docker-$n" ] && echo running || echo exited)" "$([ -e "$RUN/units/docker-$n" ] && echo true || echo false)" ;; esac; done ;;
pull) echo "Status: Downloaded newer image for ${2-}" ;;
images | network | volume | system | exec | logs | build | image | login | plugin) ;;
*) echo "docker: '${1-}' is not a docker command." >&2; exit 1 ;;
esac
exit 0
