# Writes a run's log from an offset as it grows. Arguments: run, offset, how many looks.
# 0: it has ended, and the last line on stderr says how. 73: it goes on, ask again. 74: no such run.
# 75: its supervisor is dead. 76: it was never started.
cd "/run/gantry/$1" 2>/dev/null || exit 74
offset=$2 looks=0 silent=0
while :; do
    over=
    [ -e rc ] && over=1
    size=0
    [ -e log ] && size=$(wc -c <log)
    if [ "$size" -gt "$offset" ]; then
        tail -c +$((offset + 1)) log | head -c $((size - offset))
        offset=$((size))
    fi
    if [ "$over" ]; then
        how=itself
        [ -e limited ] && how=limited
        [ -e stopped ] && how=stopped
        echo "end $(cat rc) $how" >&2
        exit 0
    fi
    if [ -e pid ] && kill -0 "$(cat pid)" 2>/dev/null; then silent=0; else silent=$((silent + 1)); fi
    if [ $silent -ge 50 ]; then
        [ -e started ] && exit 75
        exit 76
    fi
    [ $looks -ge "$3" ] && exit 73
    looks=$((looks + 1))
    sleep 0.2
done
