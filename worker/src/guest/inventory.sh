# Tells what is in the guest, a line for each thing: files with type, mode, owner and path, and with their content's
# digest; packages with their versions. What services write for themselves is left out: run-time files, logs, caches,
# and below /var/lib what lies deeper than two directories.
export LC_ALL=C
attributes() {
    if find /dev/null -printf '' 2>/dev/null; then find "$@" -printf 'file %y %#m %U:%G %p %l\n'
    else find "$@" -exec stat -c 'file %F %a %u:%g %N' {} +; fi
}
contents() { find "$@" -type f -exec sha256sum {} + | sed 's/^/content /'; }
quiet='-path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /var/tmp -o -path /var/cache -o -path /var/log
    -o -path /var/spool -o -path /var/mail -o -path /var/backups -o -path /var/lib -o -path /usr -o -path /etc/mtab'
# Words on purpose, here and below.
# shellcheck disable=SC2086
{
    attributes / -xdev \( $quiet \) -prune -o
    contents / -xdev \( $quiet \) -prune -o
    attributes /usr/local -xdev
    contents /usr/local -xdev
    # Of the system's own programs those that came or changed lately.
    lately='-ctime -2'
    find /usr/bin -maxdepth 0 $lately >/dev/null 2>&1 || lately='-mtime -2'
    attributes /usr -xdev -path /usr/local -prune -o $lately ! -type d
    contents /usr -xdev -path /usr/local -prune -o $lately
} 2>/dev/null
find /var/lib -xdev -maxdepth 2 ! -path '/var/lib/sim*' ! -path '/var/lib/gantry*' ! -path '/var/lib/apt*' ! -path '/var/lib/systemd*' \
    ! -path '/var/lib/dpkg*' -type d 2>/dev/null | sed 's/^/data /'
if command -v dpkg-query >/dev/null 2>&1; then dpkg-query -W -f='package ${Package} ${Version} ${Status}\n' 2>/dev/null
elif command -v apk >/dev/null 2>&1; then apk info -v 2>/dev/null | sed 's/^/package /'
elif command -v rpm >/dev/null 2>&1; then rpm -qa 2>/dev/null | sed 's/^/package /'
fi
exit 0
