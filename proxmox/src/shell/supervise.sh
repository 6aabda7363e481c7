# Runs one script of a guest to its end, whatever becomes of the connection. POSIX sh and coreutils or busybox.
# Arguments: run directory, tag, limit in seconds, then the interpreter. The directory holds:
#   script, env      put there by the starter; env is removed before the script runs
#   started          the script is about to run: from here on it counts as run
#   pid              this supervisor
#   log              "O line" from stdout, "E line" from stderr, in the order they came
#   limited, stopped why it was ended
#   rc               the code, written last and at once
cd "$1" || exit 1
tag=$2 limit=$3
shift 3
umask 077
echo $$ >pid
mkfifo out err || exit 1
: >log

# /run is memory: a script that floods must not fill it.
most=33554432
tag_lines() {
    kept=0
    while IFS= read -r line || [ -n "$line" ]; do
        printf '%s %s\n' "$1" "$line"
        kept=$((kept + ${#line}))
        if [ $kept -gt $most ]; then
            printf '%s (the output is too long, no more of it is kept)\n' "$1"
            cat >/dev/null
        fi
    done >>log
    : >"$2.end"
}
tag_lines O out <out &
tag_lines E err <err &

# Every process of the script, in whatever session, but not this supervisor and its readers.
# busybox's grep sees a NUL as the end, so each environment is turned into lines first.
processes() {
    for process in /proc/[0-9]*; do
        { tr '\0' '\n' <"$process/environ"; } 2>/dev/null | grep -qxF "GANTRY_RUN=$tag" && echo "${process#/proc/}"
    done
}
# First TERM, so that package managers can let go of their locks, and five seconds later KILL.
end_all() {
    tries=0 signal=TERM
    while pids=$(processes); [ -n "$pids" ]; do
        [ $tries -ge 25 ] && signal=KILL
        [ $tries -ge 50 ] && break
        if [ $tries = 0 ] || [ $signal = KILL ]; then kill -$signal $pids 2>/dev/null; fi
        tries=$((tries + 1))
        sleep 0.2
    done
}

: >started
(
    set -a
    . ./env
    set +a
    rm -f env
    export GANTRY_RUN="$tag"
    exec setsid "$@" "$PWD/script" </dev/null >out 2>err
) &
script=$!
trap ': >stopped; end_all' TERM
(
    trap 'kill $nap; exit' TERM
    sleep "$limit" &
    nap=$!
    wait $nap
    : >limited
    end_all
) >/dev/null 2>&1 </dev/null &
watch=$!

wait $script
rc=$?
# A trapped signal ends `wait` before the script has ended.
while kill -0 $script 2>/dev/null; do
    wait $script
    rc=$?
done
kill $watch 2>/dev/null

# What the script left running may keep its output open; the script itself has ended, so its lines are there soon.
tries=0
while [ $tries -lt 200 ] && ! { [ -e out.end ] && [ -e err.end ]; }; do
    tries=$((tries + 1))
    sleep 0.01
done
rm -f env
echo $rc >rc.new
mv rc.new rc
