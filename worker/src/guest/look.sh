# Tells of each TARGET in the guest, a line for each: the digest of what Gantry wrote there last, and of what is there
# now; - for nothing. Run as: sh -c … sh TARGET…
state=/var/lib/gantry/files
for target; do
    record=$state/$(printf %s "$target" | sha256sum | cut -c1-32)
    recorded=-
    [ ! -s "$record" ] || recorded=$(cat "$record")
    current=-
    if [ -d "$target" ]; then current=directory
    elif [ -e "$target" ]; then current=$(sha256sum <"$target" | cut -d' ' -f1)
    fi
    printf '%s %s\n' "$recorded" "$current"
done
