# Puts one file where it belongs in the guest, by its policy. Run as: sh -s TARGET POLICY MODE OWNER SOURCE
# (MODE and OWNER may be empty). Prints what it did as one word: created, replaced, kept, backed-up or unchanged.
# May run twice: the second time finds the file as it should be.
set -eu
target=$1 policy=$2 mode=$3 owner=$4 source=$5
state=/var/lib/gantry/files

sum() { sha256sum "$1" | cut -d' ' -f1; }

directory=${target%/*}
[ -d "${directory:=/}" ] || mkdir -p "$directory"
[ -n "$owner" ] || owner=$(stat -c %u:%g "$directory")
wanted=$(sum "$source")
done=created
if [ -d "$target" ]; then
    echo "$target is a directory" >&2
    exit 1
elif [ -e "$target" ]; then
    if [ "$(sum "$target")" = "$wanted" ]; then
        done=unchanged
    else
        case $policy in
            default) done=kept ;;
            backup) mv "$target" "$target.backup-$(date +%Y%m%d-%H%M%S)"; done=backed-up ;;
            replace) done=replaced ;;
            *) echo "unknown policy $policy" >&2; exit 2 ;;
        esac
    fi
fi
if [ "$done" != kept ]; then
    if [ "$done" != unchanged ]; then
        # Beside the target first: a reader sees the old file or the new one, never half of it.
        cp "$source" "$target.gantry-new"
        mv "$target.gantry-new" "$target"
    fi
    [ -z "$mode" ] || chmod "$mode" "$target"
    chown "$owner" "$target"
    # What we wrote last; a later update tells by it whether somebody changed the file since.
    mkdir -p "$state"
    printf '%s\n' "$wanted" >"$state/$(printf %s "$target" | sha256sum | cut -c1-32)"
fi
rm -f "$source"
echo "$done"
