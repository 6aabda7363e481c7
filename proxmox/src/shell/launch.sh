# Starts a run at most once. Arguments: run, limit, bytes of env, of script, of supervisor, then the interpreter.
# Standard input: env, script and supervisor in one piece, so that no shell has to read an exact number of bytes.
# 10: this run was started before. 64 and more: nothing was started.
unset GANTRY_RUN
umask 077
base=/run/gantry
run=$base/$1 new=$base/.new.$$
[ -d "$run" ] && exit 10
mkdir -p "$base" && mkdir "$new" || exit 65
trap 'rm -rf "$new"' EXIT
cat >"$new/all"
[ "$(wc -c <"$new/all")" -eq $(($3 + $4 + $5)) ] || exit 66
head -c "$3" "$new/all" >"$new/env" &&
    tail -c +$(($3 + 1)) "$new/all" | head -c "$4" >"$new/script" &&
    tail -c +$(($3 + $4 + 1)) "$new/all" >"$new/supervise" || exit 65
# Whoever makes the directory is the one who starts.
mkdir "$run" 2>/dev/null || exit 10
mv "$new/env" "$new/script" "$new/supervise" "$run" || exit 65
tag=$1 limit=$2
shift 5
setsid sh "$run/supervise" "$run" "$tag" "$limit" "$@" </dev/null >/dev/null 2>&1 &
tries=0
until [ -e "$run/started" ]; do
    [ $tries = 500 ] && exit 67
    tries=$((tries + 1))
    sleep 0.02
done
exit 0
