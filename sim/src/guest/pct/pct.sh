#!/bin/sh
# `pct` of the simulated node: hands its arguments and streams to the simulator and waits for the exit code.
if ! d=$(mktemp -d "@CONTROL@/call.XXXXXX" 2>/dev/null); then
  echo "pct: the simulator is not running" >&2
  exit 255
fi
mkfifo "$d/in" "$d/out" "$d/err" "$d/rc" "$d/life"
for argument; do printf '%s\0' "$argument"; done > "$d/argv"
env -0 > "$d/env"
pwd > "$d/cwd"
# On a terminal the guest gets one of its own; ours only carries what is typed and shown.
if [ -t 0 ] && [ -t 1 ]; then
  stty size > "$d/tty"
  terminal=$(stty -g)
  stty raw -echo
fi
exec 3<&0 4<>"$d/in" 5<>"$d/out" 6<>"$d/err" 7<>"$d/rc" 8<"$d/out" 9<"$d/err" <>"$d/life"
printf '%s\n' "${d##*/}" 1<>"@CONTROL@/requests"
# The simulator answers when it holds its ends; only then may ours go.
read -r _ <&7
exec 5>&- 6>&-
cat <&3 >&4 8<&- 9<&- 7<&- &
feed=$!
exec 4>&- 3<&-
cat <&8 7<&- &
out=$!
cat <&9 >&2 7<&- &
err=$!
exec 8<&- 9<&-
read -r code <&7
wait $out $err
kill -9 $feed 2>/dev/null
[ -z "$terminal" ] || stty "$terminal"
exit "$code"
