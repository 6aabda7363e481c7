# shellcheck shell=sh disable=SC1091,SC2119,SC2120
# What every template's script may call. Read before the script in the same shell; plain sh, so that it works
# with dash, bash and busybox alike. Installed as /usr/local/lib/gantry/library.sh.

log_info()  { printf '[INFO] %s\n' "$*"; }
log_warn()  { printf '[WARN] %s\n' "$*" >&2; }
log_error() { printf '[ERROR] %s\n' "$*" >&2; }

# is_installed NAME: a command on the PATH, or a package of this system.
is_installed() {
    command -v "$1" >/dev/null 2>&1 && return 0
    case "$_PKG_MGR" in
        apt) dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'install ok installed' ;;
        apk) apk info -e "$1" >/dev/null 2>&1 ;;
        dnf | yum) rpm -q "$1" >/dev/null 2>&1 ;;
        *) return 1 ;;
    esac
}

# ensure_installed NAME...: installs what is missing, in one call.
ensure_installed() {
    _missing=''
    for _name in "$@"; do
        is_installed "$_name" || _missing="$_missing $_name"
    done
    [ -n "$_missing" ] || return 0
    # Split on purpose: the names were given apart.
    # shellcheck disable=SC2086
    case "$_PKG_MGR" in
        apt)
            wait_for_apt_lock || return 1
            apt-get install -y -qq --no-install-recommends $_missing ||
                { apt-get update -qq && apt-get install -y -qq --no-install-recommends $_missing; }
            ;;
        apk) apk add --no-progress $_missing ;;
        dnf | yum) "$_PKG_MGR" install -y -q $_missing ;;
        *) log_error "no package manager that I know; install$_missing by hand"; return 1 ;;
    esac
}

# generate_password [LENGTH]: letters and digits from the kernel's random source; 16 without a length.
generate_password() {
    # Nobody in this pipe stops reading early: under `set -o pipefail` that would be a failure.
    head -c "$((${1:-16} * 32))" /dev/urandom | LC_ALL=C tr -dc 'A-Za-z0-9' | cut -c "1-${1:-16}"
}

# save_credential [SERVICE] KEY VALUE: kept in /etc/infrahaus/credentials, readable by root alone, where Gantry finds
# it. The same key is replaced, so that a script may run twice.
save_credential() {
    if [ $# -ge 3 ]; then _service=$1; shift; else _service=${TEMPLATE_NAME:-container}; fi
    _dir=/etc/infrahaus/credentials
    # The first templates in the field kept one file where later ones keep a directory; both stay readable.
    if [ -f "$_dir" ]; then _file=$_dir; else _file=$_dir/$_service; fi
    ( umask 077
      [ -f "$_dir" ] || mkdir -p "$_dir"
      touch "$_file"
      { grep -v "^$1=" "$_file" || true; printf '%s=%s\n' "$1" "$2"; } >"$_file.new"
      mv "$_file.new" "$_file" )
}

# wait_for_apt_lock [SECONDS]: until nobody else installs; unattended upgrades run right after the first boot.
wait_for_apt_lock() {
    [ "$_PKG_MGR" = apt ] || return 0
    command -v fuser >/dev/null 2>&1 || return 0
    _left=${1:-300}
    while fuser /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock >/dev/null 2>&1; do
        _left=$((_left - 1))
        [ "$_left" -gt 0 ] || { log_error 'the package lock is still held'; return 1; }
        sleep 1
    done
}

# run_as_user COMMAND [ARGUMENT...]: as $CONTAINER_USER, with that user's home.
run_as_user() {
    if [ "${CONTAINER_USER:-root}" = root ]; then "$@"; return; fi
    _home=$(getent passwd "$CONTAINER_USER" 2>/dev/null | cut -d: -f6)
    if command -v runuser >/dev/null 2>&1; then
        HOME=${_home:-/home/$CONTAINER_USER} runuser -u "$CONTAINER_USER" -- "$@"
    else
        # busybox: su takes one string; quote each argument for it.
        _line=''
        for _word in "$@"; do _line="$_line '$(printf %s "$_word" | sed "s/'/'\\\\''/g")'"; done
        su "$CONTAINER_USER" -s /bin/sh -c "$_line"
    fi
}

# Where we are.
CONTAINER_OS=$(. /etc/os-release 2>/dev/null; printf %s "${ID:-unknown}")
CONTAINER_OS_VERSION=$(. /etc/os-release 2>/dev/null; printf %s "${VERSION_ID:-}")
CONTAINER_USER=${CONTAINER_USER:-root}
if command -v apt-get >/dev/null 2>&1; then _PKG_MGR=apt
elif command -v apk >/dev/null 2>&1; then _PKG_MGR=apk
elif command -v dnf >/dev/null 2>&1; then _PKG_MGR=dnf
elif command -v yum >/dev/null 2>&1; then _PKG_MGR=yum
else _PKG_MGR=unknown
fi
CONFIG_MANAGER_VERSION=1
CONFIG_MANAGER_ROOT=/usr/local/lib/gantry
if [ -e /var/lib/gantry/configured ]; then CONFIG_MANAGER_FIRST_RUN=false; else CONFIG_MANAGER_FIRST_RUN=true; fi
DEBIAN_FRONTEND=noninteractive
export CONTAINER_OS CONTAINER_OS_VERSION CONTAINER_USER _PKG_MGR DEBIAN_FRONTEND
export CONFIG_MANAGER_VERSION CONFIG_MANAGER_ROOT CONFIG_MANAGER_FIRST_RUN
