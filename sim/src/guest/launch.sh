#!/bin/sh
# Builds one guest's view of the file system and becomes the keeper of its namespaces.
# usage: launch.sh MODE DIR LOWER HOSTNAME FIRST_ID IDS
# Standard input is the guest's life line: when it closes (the simulator stopped it, or died), pid 1 ends and the kernel takes
# every process and mount of the guest with it.
set -eu
mode=$1 dir=$2 lower=$3 name=$4 first=$5 ids=$6 self=$0
root=$dir/boot/root

view() {
  mount --bind "$dir/layer/rootfs" "$root"
  mount -t overlay overlay -o "$1lowerdir=$lower:/usr,upperdir=$dir/layer/usr,workdir=$dir/work" "$root/usr"
  mount --bind "$dir/layer/local" "$root/usr/local"
  for d in bin sbin lib lib32 lib64 libx32; do
    if [ -d "/$d" ] && [ ! -h "/$d" ]; then
      mkdir -p "$root/$d"
      mount --rbind "/$d" "$root/$d"
      mount -o remount,bind,ro "$root/$d"
    fi
  done
  mount -t tmpfs -o size=16m,mode=755 dev "$root/dev"
  for d in null zero full random urandom tty; do
    : > "$root/dev/$d"
    mount --bind "/dev/$d" "$root/dev/$d"
  done
  ln -s /proc/self/fd "$root/dev/fd"
  ln -s fd/0 "$root/dev/stdin"
  ln -s fd/1 "$root/dev/stdout"
  ln -s fd/2 "$root/dev/stderr"
  mkdir -m 1777 "$root/dev/shm"
  mount --bind "$dir/boot/run" "$root/run"
}

case $mode in
root)
  # The mounts are made by real root and then copied into a mount namespace that belongs to the guest's user namespace: that locks
  # them, so that not even the guest's root can take /usr's cover off or make it writable.
  view ''
  unshare --user sleep 60 </dev/null >/dev/null 2>&1 &
  holder=$!
  until [ "$(readlink /proc/$holder/ns/user)" != "$(readlink /proc/self/ns/user)" ]; do :; done
  echo "0 $first $ids" > /proc/$holder/uid_map
  echo "0 $first $ids" > /proc/$holder/gid_map
  exec 4</proc/$holder/ns/user
  kill -9 $holder
  exec nsenter --user=/proc/self/fd/4 --setuid 0 --setgid 0 \
    unshare --mount --pid --uts --ipc --net --fork --kill-child sh "$self" inner "$dir" "$lower" "$name" 0 0
  ;;
user)
  # The same for an ordinary user, with a second user namespace in the first.
  view userxattr,
  exec unshare --user --map-root-user --mount --pid --uts --ipc --net --fork --kill-child sh "$self" inner "$dir" "$lower" "$name" 0 0
  ;;
inner)
  exec 4<&-
  mount --rbind "$root" "$root"
  ;;
esac

# From here on inside all of the guest's namespaces, as its pid 1. /proc is still the host's: it tells our pid out there.
read -r pid _ < /proc/self/stat
hostname "$name"
ip link set lo up 2>/dev/null || ifconfig lo up 2>/dev/null || :
cd "$root"
mount -t proc -o nosuid,nodev,noexec proc proc
pivot_root . mnt
exec chroot . /bin/sh -c '
umount -l /mnt
cd /
echo "ready $1"
exec 3<&0 </dev/null >/dev/null 2>&1
trap "exit 0" TERM INT PWR
[ -e /usr/lib/gantry-sim/lib.sh ] && systemctl boot 3<&- &
while :; do cat <&3 & wait $! && exit 0; done' init "$pid"
