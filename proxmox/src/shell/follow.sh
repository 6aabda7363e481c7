# Writes a run's log from an offset as it grows. Arguments: run, offset, how many looks.
# 0: it has ended, and the last line on stderr says how. 73: it goes on, ask again. 74: no such run.
# 75: its supervisor is dead. 76: it was never started.
cd "/run/gantry/$1" 2>/dev/null || exit 74
# Short scripts, which are most, are not made longer by looking late.
offset=$2 looks=0 silent=0 nap=0.02 ms=20
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
    if { read -r pid <pid; } 2>/dev/null && kill -0 "$pid" 2>/dev/null; then silent=0; else silent=$((silent + ms)); fi
    if [ $silent -ge 10000 ]; then
        [ -e started ] && exit 75
        exit 76
    fi
    [ $looks -ge "$3" ] && exit 73
    looks=$((looks + 1))
    case $looks in
        50) nap=0.05 ms=50 ;;
        100) nap=0.2 ms=200 ;;
    esac
    sleep $nap
done
